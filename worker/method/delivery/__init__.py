"""Delivery: progress, dates and quality of the cards (method 3)."""
