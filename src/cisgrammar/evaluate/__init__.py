"""What a model is worth: scores, baselines, controls, noise ceiling, the truth."""
