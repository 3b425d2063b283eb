"""Figures, each as SVG (in the report) and PNG, drawn from the tables beside it."""


rule plot_cells:
    input:
        cells="results/{name}/cells.h5ad",
        pools="results/{name}/pools.h5ad",
    output:
        umap=report(
            "results/{name}/figures/umap_cells.svg",
            caption="../report/umap_cells.rst",
            category="1. Cells and pools",
            labels={"figure": "Cells and seeds"},
        ),
        purity=report(
            "results/{name}/figures/pool_purity.svg",
            caption="../report/pool_purity.rst",
            category="1. Cells and pools",
            labels={"figure": "Purity of pools"},
        ),
        png=multiext("results/{name}/figures/", "umap_cells.png", "pool_purity.png"),
    log:
        "logs/plot_cells/{name}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, cells=5),
        runtime=scaled(30),
    params:
        code=code("plot_cells"),
    message:
        "Drawing the cells and pools of {wildcards.name}"
    script:
        "../scripts/plot_cells.py"


rule plot_training:
    input:
        histories=per_fold("history.tsv"),
        evaluation="results/{name}/{family}/evaluation.tsv",
        truth=when(TRUTH, f"{FAMILY}/truth/summary.tsv"),
        ceiling=when(CEILING and not TRUTH, "results/{name}/noise_ceiling.tsv"),
    output:
        **family_figures(
            losses=("loss_curves", "Losses"),
            scores=("r2_over_folds", "Scores on held-out sequences"),
            category="2. Model",
        ),
    log:
        "logs/plot_training/{name}.{family}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(30),
    params:
        code=code("plot_training"),
    message:
        "Drawing losses and scores of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/plot_training.py"


rule plot_influence:
    input:
        influence="results/{name}/{family}/influence.h5ad",
        by_cell_type=f"{FAMILY}/{SCORE}_by_cell_type.tsv",
        z=f"{FAMILY}/{SCORE}_by_cell_type_z.tsv",
        cells=CELL_TYPES,
        motifs="results/{name}/{family}/motifs.meme",
        table="results/{name}/{family}/motifs.tsv",
    output:
        **family_figures(
            heatmap=("influence_heatmap", "Influence by cell type"),
            gallery=("logo_gallery", "Motifs"),
            pca=("pools_pca", "Pools by influence"),
            category="3. Motifs and their influence",
        ),
    log:
        "logs/plot_influence/{name}.{family}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, influence=20),
        runtime=scaled(30),
    params:
        n_motifs=config["figures"]["n_motifs"],
        score=SCORE,
        code=code("plot_influence"),
    message:
        "Drawing motifs and their influence of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/plot_influence.py"
