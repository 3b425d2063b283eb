"""From cells to pools."""

HDF5 = (".h5ad", ".h5mu", ".h5", ".hdf5", ".loom")
# memory for a MB of counts: text may be compressed much more
PER_MB = 10 if all(Path(path).suffix in HDF5 for path in given_counts()) else 30
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
        mem_mb=scaled(4000, counts=PER_MB, peaks=PER_MB),
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
        mem_mb=scaled(2000, cells=8, expression=8),
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


rule list_cell_types:
    input:
        labels="results/{name}/cells.h5ad" if GIVEN is None else "results/{name}/dataset.h5ad",
    output:
        table=CELL_TYPES,
    log:
        "logs/list_cell_types/{name}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(1000, labels=1),
        runtime=scaled(10),
    params:
        order=config["cell_type_order"],
        code=code("list_cell_types"),
    message:
        "Listing the cell types of {wildcards.name} in the order of figures"
    script:
        "../scripts/list_cell_types.py"


rule plot_cells:
    input:
        cells="results/{name}/cells.h5ad",
        cell_types=CELL_TYPES,
        pools="results/{name}/pools.h5ad",
    output:
        umap=report(
            "results/{name}/figures/umap_cells.svg",
            caption="../report/umap_cells.rst",
            category="01. Cells and pools",
            labels={"figure": "Cells and seeds"},
        ),
        purity=report(
            "results/{name}/figures/pool_purity.svg",
            caption="../report/pool_purity.rst",
            category="01. Cells and pools",
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


SUMMARISED["pools"] += ["cell_types.tsv"]
SUMMARISED["cells"] += ["cell_types.tsv"]
if GIVEN is None:  # cells are known
    OUTPUTS["pools"] += ["figures/umap_cells.svg", "figures/pool_purity.svg"]
