"""What-if questions: the same rules over a changed world, and what of it differs (docs/method.md 10)."""
