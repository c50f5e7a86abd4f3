"""Storylines: a small world, a script of days, and what must stand on the boards after them, worked out by hand."""
