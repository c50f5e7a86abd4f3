"""Delivery: progress, dates and quality of the cards (docs/method.md 1)."""
