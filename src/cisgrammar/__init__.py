"""Read the cis-regulatory grammar of cells out of single-cell data."""

__version__ = "0.1.0"
