"""Exchanges written down by hand from the services' documentation, replayed into the emulators in every clone."""
