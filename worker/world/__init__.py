"""What was read, as values: the world the method looks at."""
