"""Capacity: load, utilization and the teams (docs/method.md 3)."""
