"""scBasset: each cell's accessibility from the sequence of peaks.

Tuning and training are the rules of every family. All of its folds see all cells; they differ by
the peaks that are held out.
"""

SCBASSET = "results/{name}/scbasset"
CELLS_BY_MODEL = "8. Cells by their model"


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


rule score_held_out:
    input:
        dataset="results/{name}/accessibility.h5ad",
        folds=f"{SCBASSET}/folds.tsv",
        model=f"{SCBASSET}/fold{{fold}}/model.pt",
    output:
        per_cell=f"{SCBASSET}/fold{{fold}}/held_out_per_cell.tsv",
        per_peak=f"{SCBASSET}/fold{{fold}}/held_out_per_peak.tsv",
    log:
        "logs/score_held_out/{name}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/score_held_out.fold{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=20),
        runtime=scaled(30, dataset=1),
    params:
        code=code("score_held_out"),
    message:
        "Scoring predictions of held-out peaks, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/score_held_out.py"


rule train_shuffled:
    input:
        dataset="results/{name}/accessibility.h5ad",
        folds=f"{SCBASSET}/folds.tsv",
        best=f"{SCBASSET}/fold{{fold}}/hyperparameters.json",
    output:
        per_cell=f"{SCBASSET}/fold{{fold}}/shuffled_per_cell.tsv",
        per_peak=f"{SCBASSET}/fold{{fold}}/shuffled_per_peak.tsv",
    log:
        "logs/train_shuffled/{name}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/train_shuffled.fold{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=20),
        runtime=scaled(30, dataset=config["scbasset"]["epochs"] / 50),
    params:
        checkpoint=f"{SCBASSET}/fold{{fold}}/shuffled.checkpoint",  # as train_model's
        settings=how_to_build("scbasset"),
        training=how_to_train("scbasset"),
        seed=config["seed"],
        code=code("train_shuffled"),
    message:
        "Training scBasset on shuffled accessibility, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/train_shuffled.py"


rule gather_held_out:
    input:
        per_cell=per_fold("held_out_per_cell.tsv", "scbasset", SCBASSET_FOLDS),
        per_peak=per_fold("held_out_per_peak.tsv", "scbasset", SCBASSET_FOLDS),
        shuffled_per_cell=shuffled("per_cell.tsv"),
        shuffled_per_peak=shuffled("per_peak.tsv"),
    output:
        scores=family_table(
            "held_out.tsv", "held_out_table", "2. Model", "Table of scores", "scbasset"
        ),
    log:
        "logs/gather_held_out/{name}.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(2000, per_cell=10, per_peak=10),
        runtime=scaled(10),
    params:
        code=code("gather_held_out"),
    message:
        "Gathering the scores of held-out peaks of {wildcards.name}"
    script:
        "../scripts/gather_held_out.py"


rule plot_held_out:
    input:
        histories=per_fold("history.tsv", "scbasset", SCBASSET_FOLDS),
        per_cell=per_fold("held_out_per_cell.tsv", "scbasset", SCBASSET_FOLDS),
        per_peak=per_fold("held_out_per_peak.tsv", "scbasset", SCBASSET_FOLDS),
        shuffled_per_cell=shuffled("per_cell.tsv"),
        shuffled_per_peak=shuffled("per_peak.tsv"),
    output:
        **family_figures(
            losses=("cross_entropy_curves", "Losses"),
            aurocs=("auroc_curves", "AUROC in training"),
            scores=("held_out_auroc", "Scores on held-out peaks"),
            category="2. Model",
            family="scbasset",
        ),
    log:
        "logs/plot_held_out/{name}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, per_cell=10, per_peak=10),
        runtime=scaled(30),
    params:
        code=code("plot_held_out"),
    message:
        "Drawing training and scores of scBasset in {wildcards.name}"
    script:
        "../scripts/plot_held_out.py"


rule lay_out_cells:
    input:
        dataset="results/{name}/accessibility.h5ad",
        model=f"{SCBASSET}/fold{{fold}}/model.pt",
    output:
        embedding=f"{SCBASSET}/fold{{fold}}/embedding.h5ad",
        depth=f"{SCBASSET}/fold{{fold}}/depth_against_intercept.tsv",
    log:
        "logs/lay_out_cells/{name}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/lay_out_cells.fold{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=20),
        runtime=scaled(60, dataset=1),
    params:
        settings=config["scbasset"]["embedding"],
        seed=config["seed"],
        code=code("lay_out_cells"),
    message:
        "Laying out the cells of {wildcards.name} by scBasset, fold {wildcards.fold}"
    script:
        "../scripts/lay_out_cells.py"


rule compare_embeddings:
    input:
        dataset="results/{name}/accessibility.h5ad",
        embeddings=per_fold("embedding.h5ad", "scbasset", SCBASSET_FOLDS),
        expression=when(MULTIOME, "results/{name}/cells_expression.h5ad"),
    output:
        metrics=family_table(
            "embedding_metrics.tsv",
            "embedding_metrics_table",
            CELLS_BY_MODEL,
            "Table of the embeddings' scores",
            "scbasset",
        ),
    log:
        "logs/compare_embeddings/{name}.log",
    benchmark:
        "benchmarks/results/{name}/compare_embeddings.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=60, expression=30),
        runtime=scaled(60, dataset=1),
    params:
        seed=config["seed"],
        code=code("compare_embeddings"),
    message:
        "Comparing embeddings of the cells of {wildcards.name}"
    script:
        "../scripts/compare_embeddings.py"


rule plot_embedding:
    input:
        embedding=f"{SCBASSET}/fold0/embedding.h5ad",
        depth=f"{SCBASSET}/fold0/depth_against_intercept.tsv",
        metrics=f"{SCBASSET}/embedding_metrics.tsv",
        cells="results/{name}/cells.h5ad",
    output:
        **family_figures(
            types=("umap_by_cell_type", "UMAP by cell type"),
            clusters=("umap_by_cluster", "UMAP by cluster"),
            batches=("umap_by_batch", "UMAP by batch"),
            tsne=("tsne_by_cell_type", "t-SNE by cell type"),
            depth=("depth_against_intercept", "Depth and intercept"),
            metrics=("embedding_metrics", "Embeddings compared"),
            category=CELLS_BY_MODEL,
            family="scbasset",
        ),
    log:
        "logs/plot_embedding/{name}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, embedding=10),
        runtime=scaled(30),
    params:
        code=code("plot_embedding"),
    message:
        "Drawing the cells of {wildcards.name} by scBasset"
    script:
        "../scripts/plot_embedding.py"


SCBASSET_OUTPUTS += ["held_out.tsv", "embedding_metrics.tsv"]
SCBASSET_OUTPUTS += ["figures/held_out_auroc.svg", "figures/umap_by_cell_type.svg"]
