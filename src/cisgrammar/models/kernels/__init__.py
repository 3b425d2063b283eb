"""What is fast: operators of the models for CPU and GPU, each equal to plain PyTorch."""
