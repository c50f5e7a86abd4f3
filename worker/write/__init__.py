"""The only writer in the program: a plan becomes Notion pages, journalled, one change at a time."""
