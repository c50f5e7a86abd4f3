"""From the mapping files to a schema, and between raw API objects and values."""
