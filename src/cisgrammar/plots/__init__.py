"""Figures: each function draws one figure from one table and returns it."""
