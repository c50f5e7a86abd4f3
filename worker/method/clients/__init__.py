"""Clients: health, rays and relations (docs/method.md 4)."""
