"""What motifs of transcription factors do in each cell, by the first fold's model."""


rule score_tf_activity:
    input:
        accessibility=dataset_of,
        model=FIRST_MODEL,
        database=DATABASE,
        expression=CELLS_EXPRESSION,
        annotation=when(MULTIOME, ANNOTATION),
    output:
        activity=f"{MODEL}/tf_activity.h5ad",
        by_cell_type=f"{MODEL}/tf_activity_by_cell_type.tsv",
        expression=model_table(
            "tf_activity_and_expression.tsv",
            "tf_expression_table",
            READ_OFF,
            "TF activity and expression",
        ),
    log:
        "logs/score_tf_activity/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/score_tf_activity.{model}.tsv"
    wildcard_constraints:
        model=with_ability("inserts"),
    conda:
        "../../envs/motifs.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, accessibility=40, expression=40),
        runtime=scaled(120, accessibility=1),
    params:
        settings=how_to_read("tf_activity"),
        database=KNOWN_MOTIFS,
        genome=where_genes_start(),
        training=DEVICE,
        seed=config["seed"],
        code=model_code("score_tf_activity"),
    message:
        "Putting known motifs into shuffled peaks of {wildcards.name}"
    script:
        "../scripts/score_tf_activity.py"


rule plot_tf_activity:
    input:
        activity=f"{MODEL}/tf_activity.h5ad",
        by_cell_type=f"{MODEL}/tf_activity_by_cell_type.tsv",
        tests=f"{MODEL}/tf_activity_and_expression.tsv",
        embedding=f"{FIRST_FOLD}/embedding.h5ad",
        expression=CELLS_EXPRESSION,
        database=DATABASE,
        cell_types=CELL_TYPES,
    output:
        **model_figures(
            heatmap=("tf_activity_heatmap", "TF activity by cell type"),
            maps=("tf_activity_maps", "TF activity and expression on the UMAP"),
            category=READ_OFF,
        ),
    log:
        "logs/plot_tf_activity/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("inserts"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, activity=20, expression=40),
        runtime=scaled(30),
    params:
        database=KNOWN_MOTIFS,
        n_shown=config["figures"]["n_motifs"],
        n_maps=5,
        code=code("plot_tf_activity"),
    message:
        "Drawing TF activity in {wildcards.name}"
    script:
        "../scripts/plot_tf_activity.py"


OUTPUTS["inserts"] += [
    "tf_activity.h5ad",
    "figures/tf_activity_heatmap.svg",
    "figures/tf_activity_maps.svg",
]
SUMMARISED["inserts"] += ["tf_activity.h5ad", "tf_activity_by_cell_type.tsv"]
