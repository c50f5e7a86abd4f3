"""The composition root: the only rooms that know every concrete class."""
