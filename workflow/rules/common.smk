"""Helpers that rules share: the checked config, paths of inputs and targets, code digests."""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from cisgrammar.config import complete_config, read_schema
from cisgrammar.errors import InputError
from cisgrammar.provenance import source_hash

ROOT = Path(workflow.basedir)
SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")

try:
    checked = complete_config(
        config, SCHEMA, source=", ".join(os.path.relpath(path) for path in workflow.configfiles)
    )
except InputError as error:
    raise WorkflowError(str(error)) from None
config.clear()
config.update(checked)

NAME = config["name"]
FAMILIES = config["families"]
FOLDS = range(config["folds"]["n_folds"])
SIMULATION = f"results/{NAME}/simulation"


wildcard_constraints:
    name=r"[^/]+",
    family="|".join(FAMILIES),
    fold=r"\d+",


def code(script):
    """Digest the library modules behind a script, so that a change to them reruns its rule."""
    return source_hash(ROOT / "workflow/scripts" / f"{script}.py")


def input_file(section, key, simulated):
    """Give a file of the user, or the simulated one in its place."""
    if config["simulation"] is not None:
        return f"{SIMULATION}/{simulated}"
    path = config[section][key]
    if path is None:
        raise WorkflowError(
            f"{', '.join(map(str, workflow.configfiles))}: key `{section}.{key}` is missing: "
            f"{SCHEMA['properties'][section]['properties'][key]['description']} "
            "Only a config with a `simulation` section needs no input files."
        )
    return path


COUNTS = input_file("input", "counts", "counts.h5ad")
GENOME = input_file("genome", "fasta", "genome.fa")
ANNOTATION = input_file("genome", "annotation", "annotation.gtf")


def label_column(key):
    """Name the column of cell types or batches; the simulation's are known."""
    return key if config["simulation"] is not None else config["input"][key]


def per_fold(file):
    """List one file for each fold, keeping the other wildcards."""
    return expand(f"results/{{{{name}}}}/{{{{family}}}}/fold{{fold}}/{file}", fold=FOLDS)


def final_outputs():
    """List what `snakemake` makes when no target is named."""
    shared = ["preflight.tsv", "dataset.h5ad", "provenance.json"]
    shared += [f"figures/{figure}.svg" for figure in ("umap_cells", "pool_purity")]
    of_family = ["evaluation.tsv", "motifs.meme", "influence.h5ad", "influence_by_cell_type_z.tsv"]
    of_family += [
        f"figures/{figure}.svg"
        for figure in ("r2_over_folds", "loss_curves", "motifs", "influence", "pools_pca")
    ]
    targets = [f"results/{NAME}/{file}" for file in shared]
    targets += [f"results/{NAME}/{family}/{file}" for family in FAMILIES for file in of_family]
    if config["simulation"] is not None:
        targets += [
            f"results/{NAME}/{family}/truth/{file}"
            for family in FAMILIES
            for file in ("summary.tsv", "truth.svg")
        ]
    return targets
