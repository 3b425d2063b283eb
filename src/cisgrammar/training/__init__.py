"""Tuning and training, the same for every model."""
