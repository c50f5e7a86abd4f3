"""Clocks and signals around the cycle."""
