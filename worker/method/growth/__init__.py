"""Growth: services, graduation, backlog and goals (method 7)."""
