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


OUTPUTS["filters"] += ["for_scanpy.h5ad"]
OUTPUTS["inserts"] += ["for_scanpy.h5ad"]
