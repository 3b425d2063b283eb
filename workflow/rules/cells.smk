"""From cells to pools."""

APPROXIMATE = not (config["cells"]["exact_pca"] and config["cells"]["exact_neighbors"])


rule embed_cells:
    input:
        counts=COUNTS,
        cell_table=CELL_TABLE,
        peaks=PEAK_COUNTS,
        peak_bed=PEAK_BED,
        preflight="results/{name}/preflight.tsv",  # must be there, is not read
    output:
        **({"expression": "results/{name}/cells_expression.h5ad"} if MULTIOME else {}),
        cells="results/{name}/cells.h5ad",
    log:
        "logs/embed_cells/{name}.log",
    benchmark:
        "benchmarks/results/{name}/embed_cells.tsv"
    conda:
        "../../envs/cells.yaml"
    threads: 4 if APPROXIMATE else 1
    resources:
        mem_mb=scaled(4000, counts=30, peaks=30),
        runtime=scaled(60, counts=0.3),
    params:
        counts=how_to_read_counts(),
        settings=config["cells"],
        peaks=how_to_take_peaks("matrix", "min_peaks", "min_cells", "pool_on"),
        seed=config["seed"],
        code=code("embed_cells"),
    message:
        "Filtering and embedding the cells of {wildcards.name}"
    script:
        "../scripts/embed_cells.py"


rule pool_cells:
    input:
        cells="results/{name}/cells.h5ad",
        expression=when(MULTIOME, "results/{name}/cells_expression.h5ad"),
        annotation=when(EXPRESSION, ANNOTATION),
    output:
        **({"expression": EXPRESSION} if MULTIOME else {}),
        pools="results/{name}/pools.h5ad",
        members="results/{name}/cells_in_pools.tsv",
    log:
        "logs/pool_cells/{name}.log",
    benchmark:
        "benchmarks/results/{name}/pool_cells.tsv"
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(2000, cells=20, expression=20),
        runtime=scaled(30, cells=0.1),
    params:
        settings=config["pools"],
        genome=where_genes_start(),
        seed=config["seed"],
        code=code("pool_cells"),
    message:
        "Pooling the cells of {wildcards.name}"
    script:
        "../scripts/pool_cells.py"
