"""One cycle: the story, its context, the second pass, the report."""
