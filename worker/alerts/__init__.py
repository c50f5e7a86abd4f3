"""Who is told when a workspace is not well: once when it changes, and never twice."""
