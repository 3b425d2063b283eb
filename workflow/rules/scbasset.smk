"""scBasset: each cell's accessibility from the sequence of peaks.

Tuning and training are the rules of every family. All of its folds see all cells; they differ by
the peaks that are held out.
"""

SCBASSET = "results/{name}/scbasset"


rule build_accessibility:
    input:
        cells="results/{name}/cells.h5ad",
        genome=GENOME,
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
        settings={key: config["scbasset"][key] for key in ("length", "min_share")},
        chromosomes=how_to_read_genes()["chromosomes"],
        work="results/{name}/genome",
        code=code("build_accessibility"),
    message:
        "Joining the peaks of {wildcards.name}, open or closed in each cell, and their sequences"
    script:
        "../scripts/build_accessibility.py"


use rule split_folds as split_peaks with:
    input:
        dataset="results/{name}/accessibility.h5ad",
    output:
        folds=f"{SCBASSET}/folds.tsv",
    log:
        "logs/split_folds/{name}.scbasset.log",
    message:
        "Splitting the peaks of {wildcards.name} into folds"


SCBASSET_OUTPUTS += [f"fold{fold}/model.pt" for fold in SCBASSET_FOLDS]
