"""Jira over HTTP, Cloud and Data Center, read only: the one room that knows its paths, pages and errors."""
