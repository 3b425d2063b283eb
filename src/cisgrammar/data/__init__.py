"""What models learn from: sequences with their targets, and folds."""
