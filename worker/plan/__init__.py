"""From facts to a plan: pure."""
