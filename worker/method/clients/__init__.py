"""Clients: health, rays and relations (method 3, 7)."""
