"""Notion over HTTP: the one room that knows its paths, limits and errors."""
