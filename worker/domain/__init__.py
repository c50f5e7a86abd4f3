"""The words of the business as values: no clock, no network, no database, no globals."""
