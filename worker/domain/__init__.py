"""The words of the business as values: no clock, no network, no database, no globals.

Values are frozen msgspec structs, here and in the layers above: made by the hundred thousand, they cost a third of what
dataclasses do, and without rings among them the garbage collector need not know them (`gc=False`).
"""
