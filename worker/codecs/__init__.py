"""Raw values of the two services <-> values of the domain, one table a type."""
