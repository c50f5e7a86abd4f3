"""Money: facts, plans, what is billed and paid (docs/method.md 2)."""
