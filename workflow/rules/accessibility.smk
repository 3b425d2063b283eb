"""Peaks of single cells, open or closed, with their sequences and folds."""


rule build_accessibility:
    input:
        cells="results/{name}/cells.h5ad",
        genome=GENOME,
        work=GENOME_INDEX,
        blacklist=BLACKLIST,
        aliases=ALIASES,
    output:
        accessibility="results/{name}/accessibility.h5ad",
        counts="results/{name}/accessibility_counts.tsv",
    log:
        "logs/build_accessibility/{name}.log",
    benchmark:
        "benchmarks/results/{name}/build_accessibility.tsv"
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(2000, cells=30),
        runtime=scaled(30, cells=0.1),
    params:
        settings=config["accessibility"],
        chromosomes=how_to_read_genes()["chromosomes"],
        code=code("build_accessibility"),
    message:
        "Joining the peaks of {wildcards.name}, open or closed in each cell, and their sequences"
    script:
        "../scripts/build_accessibility.py"


use rule split_folds as split_peaks with:
    input:
        dataset="results/{name}/accessibility.h5ad",
    output:
        folds="results/{name}/peak_folds.tsv",
    log:
        "logs/split_peaks/{name}.log",
    message:
        "Splitting the peaks of {wildcards.name} into folds"
