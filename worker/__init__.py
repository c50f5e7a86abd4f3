"""Rayline: one true view per client, from Jira's progress and Notion's account boards."""

__version__ = "0.1.0"
