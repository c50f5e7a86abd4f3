"""The risk map and the account sprint (docs/method.md 6)."""
