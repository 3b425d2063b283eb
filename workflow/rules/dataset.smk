"""Sequences and targets in one file, and their folds."""

if GIVEN is not None:

    rule read_sequences:
        input:
            **GIVEN_FILES,
        output:
            preflight="results/{name}/preflight.tsv",
            dataset="results/{name}/dataset.h5ad",
        log:
            "logs/read_sequences/{name}.log",
        benchmark:
            "benchmarks/results/{name}/read_sequences.tsv"
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(2000, targets=100),
            runtime=scaled(30, targets=1),
        params:
            cell_type=GIVEN["cell_type"],
            code=code("read_sequences"),
        message:
            "Reading the sequences and targets of {wildcards.name}"
        script:
            "../scripts/read_sequences.py"


if PEAKS is not None:

    rule define_peaks:
        input:
            pools="results/{name}/pools.h5ad",
            genome=GENOME,
            work=GENOME_INDEX,
            annotation=when(needs_genes(), ANNOTATION),
            blacklist=BLACKLIST,
            aliases=ALIASES,
        output:
            regions="results/{name}/regions.bed",
            counts="results/{name}/region_counts.tsv",
        log:
            "logs/define_peaks/{name}.log",
        benchmark:
            "benchmarks/results/{name}/define_peaks.tsv"
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(2000, annotation=10),
            runtime=scaled(30, genome=0.01),
        params:
            genome=how_to_read_genes(),
            peaks=how_to_take_peaks("length", "distal"),
            code=code("define_peaks"),
        message:
            "Placing a window on each peak of {wildcards.name}"
        script:
            "../scripts/define_peaks.py"

elif GIVEN is None:

    rule define_regions:
        input:
            pools="results/{name}/pools.h5ad",
            genome=GENOME,
            work=GENOME_INDEX,
            annotation=when(needs_genes(), ANNOTATION),
            bed=REGIONS_BED,
            aliases=ALIASES,
        output:
            regions="results/{name}/regions.bed",
            counts="results/{name}/region_counts.tsv",
        log:
            "logs/define_regions/{name}.log",
        benchmark:
            "benchmarks/results/{name}/define_regions.tsv"
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(2000, annotation=10),
            runtime=scaled(30, genome=0.01),
        params:
            genome=how_to_read_genes(),
            regions=window_of_genes(),
            code=code("define_regions"),
        message:
            "Placing a window at each gene's TSS in {wildcards.name}"
        script:
            "../scripts/define_regions.py"


if GIVEN is None:

    rule build_dataset:
        input:
            pools="results/{name}/pools.h5ad",
            regions="results/{name}/regions.bed",
            steps="results/{name}/region_counts.tsv",
            genome=GENOME,
            work=GENOME_INDEX,
        output:
            dataset="results/{name}/dataset.h5ad",
            counts="results/{name}/sequence_counts.tsv",
        log:
            "logs/build_dataset/{name}.log",
        benchmark:
            "benchmarks/results/{name}/build_dataset.tsv"
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(2000, pools=10),
            runtime=scaled(30, pools=0.1),
        params:
            settings=config["dataset"],
            what="genes" if PEAKS is None else "peaks",
            seen="expressed" if PEAKS is None else "open",
            code=code("build_dataset"),
        message:
            "Joining pools and sequences of {wildcards.name}"
        script:
            "../scripts/build_dataset.py"


rule split_folds:
    input:
        dataset="results/{name}/dataset.h5ad",
    output:
        folds="results/{name}/folds.tsv",
    log:
        "logs/split_folds/{name}.log",
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(2000, dataset=10),
        runtime=scaled(10),
    params:
        settings=config["folds"],
        seed=config["seed"],
        code=code("split_folds"),
    message:
        "Splitting the sequences of {wildcards.name} into folds"
    script:
        "../scripts/split_folds.py"


OUTPUTS["pools"] += ["dataset.h5ad"]
