"""Optional: what the number of cells in a pool does to data and model."""


rule pool_for_size:
    input:
        cells="results/{name}/cells.h5ad",
        regions="results/{name}/regions.bed",
        genome=GENOME,
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
        work="results/{name}/genome",
        seed=config["seed"],
        code=code("pool_for_size"),
    message:
        "Pooling {wildcards.q} cells at a time in {wildcards.name}"
    script:
        "../scripts/pool_for_size.py"


rule try_pool_size:
    input:
        dataset="results/{name}/pool_sizes/{q}.h5ad",
        best="results/{name}/{family}/fold0/hyperparameters.json",
    output:
        measures=temp("results/{name}/{family}/pool_sizes/{q}.tsv"),
    log:
        "logs/try_pool_size/{name}.{family}.{q}.log",
    benchmark:
        "benchmarks/results/{name}/try_pool_size.{family}.{q}.tsv"
    wildcard_constraints:
        q=r"\d+",
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=20),
        runtime=scaled(120),
    params:
        folds=config["folds"],
        settings=lambda wildcards: config[wildcards.family],
        training=TRAINING,
        seed=config["seed"],
        code=code("try_pool_size"),
    message:
        "Trying pools of {wildcards.q} cells with {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/try_pool_size.py"


rule plot_pool_sizes:
    input:
        measures=expand(
            "results/{{name}}/{{family}}/pool_sizes/{q}.tsv", q=config["sweep"]["cells_per_pool"]
        ),
    output:
        **family_figures(
            figure=("pool_size_sweep", "Choice of pool size"), category="1. Cells and pools"
        ),
        table=family_table(
            "pool_sizes.tsv", "pool_sizes_table", "1. Cells and pools", "Table of pool sizes"
        ),
    log:
        "logs/plot_pool_sizes/{name}.{family}.log",
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
