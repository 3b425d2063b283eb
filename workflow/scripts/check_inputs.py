"""Check the inputs, and that they fit each other, before anything else runs."""

from pathlib import Path

from cisgrammar.checks.preflight import preflight
from cisgrammar.common.files import write_table
from cisgrammar.common.logs import log_to


def there(paths):
    """Say whether files are there; downloads may be still to come, and JASPAR needs none."""
    files = [path for path in paths if path and not path.lower().startswith("jaspar:")]
    return all(Path(path).is_file() for path in files)


files, params, config = snakemake.input, snakemake.params, snakemake.config
windows = {key: config["regions"][key] for key in ("upstream", "downstream")}
pools = {key: config["pools"][key] for key in ("cells_per_pool", "n_pools")}
chosen = {key: config["cells"][key] for key in ("keep", "drop")}
scbasset = None
if config["families"] == ["scbasset"]:
    pools["n_pools"] = None
if "scbasset" in config["families"]:
    settings, folds = config["scbasset"], config["folds"]
    tested = 0 if folds["test_chromosomes"] else 1 / folds["n_folds"]
    scbasset = {
        "correct_batches": settings["correct_batches"],
        "batch_size": min(settings["search"]["batch_size"]),
        "trained": (1 - folds["validation"]) * (1 - tested),
        "motifs": settings["tf_activity"]["motifs"],
        "mutated": settings["mutagenesis"]["bed"],
        "clusters": config["cells"]["clusters"] is not None,
    }
    if not there([scbasset["mutated"]]):
        scbasset["mutated"] = None
database = {key: config["database"][key] for key in ("source", "tf_names")}
with log_to(snakemake.log[0]):
    table = preflight(
        counts=files.counts,
        cell_table=files.cell_table or None,
        peaks=config["peaks"],
        peak_files=files.peaks or None,
        peak_bed=files.peak_bed or None,
        blacklist=files.blacklist or None,
        fasta=files.genome,
        annotation=files.annotation or None,
        regions=files.regions or None,
        work=params.work,
        **params.counts,
        **params.genome,
        **windows,
        **pools,
        **chosen,
        folds=config["folds"],
        scbasset=scbasset,
        database=database if there(database.values()) else None,
    )
    write_table(table, snakemake.output.table)
