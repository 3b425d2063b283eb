"""Optional: what fewer fragments do to models of cells."""


rule try_depth:
    input:
        accessibility=dataset_of,
        folds=folds_of,
        best=f"{FIRST_FOLD}/hyperparameters.json",
        # all entries are what the first fold's model was trained on
        model=branch(lambda wildcards: wildcards.share == "1", then=FIRST_MODEL, otherwise=[]),
        expression=CELLS_EXPRESSION,
    output:
        measures=f"{MODEL}/downsampling/{{share}}.tsv",
    log:
        "logs/try_depth/{name}.{model}.{share}.log",
    benchmark:
        "benchmarks/results/{name}/try_depth.{model}.{share}.tsv"
    wildcard_constraints:
        model=with_ability("embeds_cells"),
        share=r"1|0\.\d+",
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, accessibility=60, expression=30),
        runtime=scaled(60, accessibility=training_minutes),
    params:
        checkpoint=f"{MODEL}/downsampling/{{share}}.checkpoint",  # as train_model's
        settings=how_to_build,
        embedding=how_to_read("embedding", "of"),
        training=how_to_train,
        seed=config["seed"],
        code=model_code("try_depth"),
    message:
        "Training {wildcards.model} on {wildcards.share} of the open entries of {wildcards.name}"
    script:
        "../scripts/try_depth.py"


rule plot_depths:
    input:
        measures=measures_of_depths,
    output:
        **model_figures(figure=("downsampling", "Fewer fragments"), category="02. Model"),
        table=model_table("downsampling.tsv", "downsampling_table", "02. Model", "Table of depths"),
    log:
        "logs/plot_depths/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        code=code("plot_depths"),
    message:
        "Drawing what fewer fragments do in {wildcards.name}"
    script:
        "../scripts/plot_depths.py"


if any(map(shares_of, models_with("embeds_cells", CHOSEN))):
    OUTPUTS["embeds_cells"] += ["figures/downsampling.svg"]
