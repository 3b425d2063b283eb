"""What `snakemake check` tells before a run: the inputs, and what a run will take."""
