"""The main job shown end to end: the sandbox, the sample agency, people at work, and independent checks."""
