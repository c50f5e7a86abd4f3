"""Growth: services, graduation, backlog and goals (docs/method.md 5)."""
