"""A stateful Notion and a stateful Jira to run, test and show Rayline against."""
