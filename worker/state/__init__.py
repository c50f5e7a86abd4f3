"""What the worker remembers between cycles: SQLite or PostgreSQL, one schema."""
