"""Cells by what a model learned of each: embedding, clusters, maps, and how good they are."""

CELLS_BY_MODEL = "08. Cells by their model"


rule lay_out_cells:
    input:
        dataset=dataset_of,
        model=f"{MODEL}/fold{{fold}}/model.pt",
    output:
        embedding=f"{MODEL}/fold{{fold}}/embedding.h5ad",
        depth=f"{MODEL}/fold{{fold}}/depth_against_intercept.tsv",
    log:
        "logs/lay_out_cells/{name}.{model}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/lay_out_cells.{model}.fold{fold}.tsv"
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=20),
        runtime=scaled(60, dataset=1),
    params:
        embedding=how_to_read("embedding", "of"),
        settings=how_to_read("embedding", without=["of"]),
        seed=config["seed"],
        code=model_code("lay_out_cells"),
    message:
        "Laying out the cells of {wildcards.name} by {wildcards.model}, fold {wildcards.fold}"
    script:
        "../scripts/lay_out_cells.py"


rule compare_embeddings:
    input:
        dataset=dataset_of,
        embeddings=per_fold("embedding.h5ad"),
        expression=CELLS_EXPRESSION,
    output:
        metrics=model_table(
            "embedding_metrics.tsv",
            "embedding_metrics_table",
            CELLS_BY_MODEL,
            "Table of the embeddings' scores",
        ),
    log:
        "logs/compare_embeddings/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/compare_embeddings.{model}.tsv"
    wildcard_constraints:
        model=with_ability("embeds_cells"),
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
        embedding=f"{FIRST_FOLD}/embedding.h5ad",
        depth=f"{FIRST_FOLD}/depth_against_intercept.tsv",
        metrics=f"{MODEL}/embedding_metrics.tsv",
        cell_types=CELL_TYPES,
    output:
        **model_figures(
            types=("umap_by_cell_type", "UMAP by cell type"),
            clusters=("umap_by_cluster", "UMAP by cluster"),
            batches=("umap_by_batch", "UMAP by batch"),
            tsne=("tsne_by_cell_type", "t-SNE by cell type"),
            depth=("depth_against_intercept", "Depth and intercept"),
            metrics=("embedding_metrics", "Embeddings compared"),
            category=CELLS_BY_MODEL,
        ),
    log:
        "logs/plot_embedding/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, embedding=10),
        runtime=scaled(30),
    params:
        code=code("plot_embedding"),
    message:
        "Drawing the cells of {wildcards.name} by {wildcards.model}"
    script:
        "../scripts/plot_embedding.py"


OUTPUTS["embeds_cells"] += ["embedding_metrics.tsv", "figures/umap_by_cell_type.svg"]
SUMMARISED["embeds_cells"] += ["embedding_metrics.tsv"]
