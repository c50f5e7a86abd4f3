"""A sample agency to live in the sandbox: a studio of forty people, twelve clients and nine months of work. Seeded."""
