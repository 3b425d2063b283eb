"""Sequences and what lies on them: FASTA, annotation, TSS, windows, peaks.

Coordinates are 0-based and half-open, as in BED.
"""
