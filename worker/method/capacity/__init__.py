"""Capacity: load, utilization and the teams (method 5)."""
