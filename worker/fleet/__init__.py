"""Many workspaces on many machines: the cycles of all as jobs of one queue in PostgreSQL."""
