"""Trained models as things to use: predictions for sequences, effects of variants, a command."""
