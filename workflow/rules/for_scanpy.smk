"""Results of pools and of cells as scanpy draws them."""


rule write_pools_for_scanpy:
    input:
        influence=f"{MODEL}/influence.h5ad",
        families=f"{MODEL}/family_influence.h5ad",
        cell_types=CELL_TYPES,
    output:
        pools=f"{MODEL}/for_scanpy.h5ad",
    log:
        "logs/write_pools_for_scanpy/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, influence=20, families=20),
        runtime=scaled(10),
    params:
        score=SCORE,
        code=code("write_pools_for_scanpy"),
    message:
        "Writing pools by the motif families of {wildcards.model} in {wildcards.name} for scanpy"
    script:
        "../scripts/write_pools_for_scanpy.py"


rule write_cells_for_scanpy:
    input:
        activity=f"{MODEL}/tf_activity.h5ad",
        embedding=f"{FIRST_FOLD}/embedding.h5ad",
        cell_types=CELL_TYPES,
    output:
        cells=f"{MODEL}/for_scanpy.h5ad",
    log:
        "logs/write_cells_for_scanpy/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("inserts"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, activity=20, embedding=10),
        runtime=scaled(10),
    params:
        code=code("write_cells_for_scanpy"),
    message:
        "Writing cells by the TFs of {wildcards.model} in {wildcards.name} for scanpy"
    script:
        "../scripts/write_cells_for_scanpy.py"


rule write_multiome:
    input:
        expression=when(MULTIOME, "results/{name}/cells_expression.h5ad"),
        accessibility="results/{name}/accessibility.h5ad",
        cells=f"{MODEL}/for_scanpy.h5ad",
    output:
        multiome=f"{MODEL}/multiome.h5mu",
    log:
        "logs/write_multiome/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("inserts"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, expression=20, accessibility=20, cells=10),
        runtime=scaled(10),
    params:
        code=code("write_multiome"),
    message:
        "Writing genes, peaks and TFs in the cells of {wildcards.name} as a MuData"
    script:
        "../scripts/write_multiome.py"


OUTPUTS["filters"] += ["for_scanpy.h5ad"]
OUTPUTS["inserts"] += ["for_scanpy.h5ad"]
if MULTIOME:
    OUTPUTS["inserts"] += ["multiome.h5mu"]
