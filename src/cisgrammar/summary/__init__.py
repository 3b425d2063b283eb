"""The first page: what went in, what the models are worth, what they found, and warnings."""
