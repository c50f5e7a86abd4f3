"""One cycle: `story` is its page; the other modules are its steps."""
