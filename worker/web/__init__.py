"""The console and its interface for programs: what the state says of each workspace, and the few things to ask for."""
