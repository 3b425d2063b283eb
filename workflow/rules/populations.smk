"""Mean expression of populations of cells, with the genes' long windows, features and folds."""

if POPULATIONS is not None:

    rule build_populations:
        input:
            **POPULATION_FILES,
            counts=COUNTS,
            cell_table=CELL_TABLE,
            preflight="results/{name}/preflight.tsv",  # must be there, is not read
            genome=GENOME,
            work=GENOME_INDEX,
            annotation=ANNOTATION,
            aliases=ALIASES,
        output:
            populations="results/{name}/populations.h5ad",
            steps="results/{name}/population_counts.tsv",
            dropped="results/{name}/populations_dropped.tsv",
            features="results/{name}/population_features.tsv",
            missing="results/{name}/population_features_missing.tsv",
        log:
            "logs/build_populations/{name}.log",
        benchmark:
            "benchmarks/results/{name}/build_populations.tsv"
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(4000, counts=PER_MB, annotation=40),
            runtime=scaled(60, counts=0.3, annotation=0.5),
        params:
            counts=how_to_read_counts(),
            chosen={key: config["cells"][key] for key in ("keep", "drop")},
            # as published, genes are not filtered by expression
            least={"min_genes": config["cells"]["min_genes"], "min_cells": 0},
            genome=how_to_read_genes(),
            settings=how_to_build_populations(),
            code=code("build_populations"),
        message:
            "Averaging the populations of {wildcards.name}, and reading their genes' windows"
        script:
            "../scripts/build_populations.py"

    rule split_populations:
        input:
            dataset="results/{name}/populations.h5ad",
        output:
            folds="results/{name}/population_folds.tsv",
            leaks="results/{name}/population_leaks.tsv",
        log:
            "logs/split_populations/{name}.log",
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(4000, dataset=40),
            runtime=scaled(20, dataset=0.1),
        params:
            settings=how_to_split_populations(),
            seed=config["seed"],
            code=code("split_populations"),
        message:
            "Splitting the genes of {wildcards.name} into folds, the same for all populations"
        script:
            "../scripts/split_populations.py"


OUTPUTS["populations"] += ["populations.h5ad", "population_counts.tsv", "population_leaks.tsv"]
