"""Small worlds that live weeks on a clock moved by hand, with people, faults, crashes and pauses drawn from a seed."""
