"""Money: facts, plans, what is billed and paid (method 4)."""
