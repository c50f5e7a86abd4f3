"""The risk map and the account sprint (method 6, 8)."""
