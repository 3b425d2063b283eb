"""Optional: what the number of cells in a pool does to data and model."""


rule pool_for_size:
    input:
        cells="results/{name}/cells.h5ad",
        regions="results/{name}/regions.bed",
        genome=GENOME,
        work=GENOME_INDEX,
    output:
        dataset=temp("results/{name}/pool_sizes/{q}.h5ad"),
    log:
        "logs/pool_for_size/{name}.{q}.log",
    wildcard_constraints:
        q=r"\d+",
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(2000, cells=8),
        runtime=scaled(30, cells=0.1),
    params:
        pools=config["pools"],
        dataset=config["dataset"],
        seed=config["seed"],
        code=code("pool_for_size"),
    message:
        "Pooling {wildcards.q} cells at a time in {wildcards.name}"
    script:
        "../scripts/pool_for_size.py"


rule try_pool_size:
    input:
        dataset="results/{name}/pool_sizes/{q}.h5ad",
        best="results/{name}/{model}/fold0/hyperparameters.json",
    output:
        measures=temp("results/{name}/{model}/pool_sizes/{q}.tsv"),
    log:
        "logs/try_pool_size/{name}.{model}.{q}.log",
    benchmark:
        "benchmarks/results/{name}/try_pool_size.{model}.{q}.tsv"
    wildcard_constraints:
        model=with_ability("filters"),
        q=r"\d+",
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=20),
        runtime=scaled(120),
    params:
        folds=config["folds"],
        settings=how_to_build,
        training=how_to_train,
        seed=config["seed"],
        code=model_code("try_pool_size"),
    message:
        "Trying pools of {wildcards.q} cells with {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/try_pool_size.py"


rule plot_pool_sizes:
    input:
        measures=expand(
            "results/{{name}}/{{model}}/pool_sizes/{q}.tsv", q=config["sweep"]["cells_per_pool"]
        ),
    output:
        **model_figures(
            figure=("pool_size_sweep", "Choice of pool size"), category="01. Cells and pools"
        ),
        table=model_table(
            "pool_sizes.tsv", "pool_sizes_table", "01. Cells and pools", "Table of pool sizes"
        ),
    log:
        "logs/plot_pool_sizes/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        code=code("plot_pool_sizes"),
    message:
        "Drawing what pool size does in {wildcards.name}"
    script:
        "../scripts/plot_pool_sizes.py"


if config["sweep"]["cells_per_pool"] and GIVEN is None:
    OUTPUTS["filters"] += ["figures/pool_size_sweep.svg"]
