"""A demo that lives: a few people and developers act once a minute by a seeded script while the worker looks on."""
