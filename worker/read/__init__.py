"""Reading both systems into the snapshot: little by default, everything on the slow beat."""
