"""Counts: cells x genes (or peaks), from the formats that are in use."""

from cisgrammar.counts.formats import load
from cisgrammar.counts.one import gene_names, give_names, read_counts
from cisgrammar.counts.raw import RawCounts
from cisgrammar.counts.several import read_files, read_several

__all__ = [
    "RawCounts",
    "gene_names",
    "give_names",
    "load",
    "read_counts",
    "read_files",
    "read_several",
]
