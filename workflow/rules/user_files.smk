"""The user's files, or the simulated ones: where they are, and how they are read."""

from dataclasses import asdict

from cisgrammar.checks.settings import DECIDING
from cisgrammar.common.files import unusable_folder
from cisgrammar.common.inputs import require_file
from cisgrammar.downloads.sources import PREFIX

SIMULATION = f"results/{NAME}/simulation"
SIMULATED = config["simulation"] is not None
SIMULATED_LINKS = SIMULATED and config["simulation"]["links"] is not None
# with links it is a multiome too
SIMULATED_MULTIOME = SIMULATED_LINKS or (SIMULATED and config["simulation"]["multiome"] is not None)
SIMULATED_POPULATIONS = SIMULATED and config["simulation"]["populations"] is not None
# of what drives pools x genes
TRUTH = SIMULATED and not (SIMULATED_MULTIOME or SIMULATED_POPULATIONS)
GIVEN = config["given"]
PEAKS = config["peaks"]
POPULATIONS = config["populations"]
LINKS = config["links"]
VARIANTS = config["variants"]
ATAC_ALONE = PEAKS is not None and config["counts"]["modality"] == "atac"
MULTIOME = PEAKS is not None and not ATAC_ALONE
# pools x genes, by which TFs are found; none where expression was not measured
EXPRESSION = {
    (True, False): "results/{name}/pools_expression.h5ad",
    (False, False): "results/{name}/pools.h5ad",
}.get((MULTIOME, ATAC_ALONE or GIVEN is not None))
CELLS_EXPRESSION = "results/{name}/cells_expression.h5ad" if MULTIOME else []
# whether noise is known: it is where pools add up several cells
CEILING = GIVEN is None and config["pools"]["cells_per_pool"] > 1
# the order and the colours of cell types in every figure
CELL_TYPES = "results/{name}/cell_types.tsv"


for folder in (f"results/{NAME}", f"logs/check/{NAME}", f"benchmarks/results/{NAME}"):
    if finding := unusable_folder(folder):
        PROBLEMS.add(finding)


def input_file(section, key, simulated):
    """Give a file of the user, which must be there, or the simulated one; nothing if given."""
    if SIMULATED:
        return f"{SIMULATION}/{simulated}"
    if GIVEN is not None:
        return []
    path = config[section][key]
    if path is None and (section, key) == ("genome", "gtf") and not needs_genes():
        return []
    if path is None:
        PROBLEMS.add(
            f"{CONFIG_FILES}: key `{section}.{key}` is missing: "
            f"{SCHEMA['properties'][section]['properties'][key]['description']} "
            "Only a config with a `simulation` section needs no input files."
        )
        return []
    return several_files(path, f"{section}.{key}")


def needs_genes():
    """Say whether windows depend on where genes are."""
    if POPULATIONS is not None:
        return True
    if PEAKS is None:
        return not config["regions"]["bed"]
    return PEAKS["distal"] is not None or LINKS is not None


def several_files(path, key):
    """Give one file or folder of counts, or a list of those that have a batch name each."""
    if isinstance(path, dict):
        return [existing(file, f"{key}.{batch}", folder_too=True) for batch, file in path.items()]
    return existing(path, key, folder_too=key.endswith(".path"))


def optional_file(section, key):
    """Give a file of the user, or nothing where its key is empty."""
    path = (config[section] or {}).get(key)
    return existing(path, f"{section}.{key}") if path else []


def existing(path, key, folder_too=False):
    """Give back a file of the user; note where it is not there and cannot be fetched."""
    unknown = path.startswith(PREFIX)  # has been noted
    if "{" in path or "}" in path:
        PROBLEMS.add(
            f"{path}: `{key}` names a path with a brace, which Snakemake takes for a wildcard. "
            "Rename the file or its folder, or link to it under another name."
        )
    elif not unknown and (path not in DOWNLOADS or DOWNLOADS[path].is_local):
        try:
            require_file(path, key, folder_too=folder_too)
        except InputError as error:
            PROBLEMS.add(str(error))
    return path


def given_files():
    """Give the user's files of sequences and targets, where data come as these."""
    keys = ("fasta", "targets", "regions", "labels") if GIVEN is not None else ()
    return {key: existing(GIVEN[key], f"given.{key}") for key in keys if GIVEN[key]}


def population_files():
    """Give the files that populations are built of beside those that all data are."""
    asked = {
        "cds": ("half_life", "cds_gtf"),
        "table": ("table", "path"),
        "bulk": ("bulk", "path"),
    }
    found = {}
    for name, (section, key) in asked.items():
        path = ((POPULATIONS or {}).get(section) or {}).get(key)
        found[name] = existing(path, f"populations.{section}.{key}") if path else []
    return found


def how_to_build_populations():
    """Give the section of populations, without what is about folds."""
    return {key: value for key, value in POPULATIONS.items() if key != "folds_by"}


def how_to_split_populations():
    """Give the keys of folds; populations have a way of their own to divide genes."""
    return config["folds"] | {"by": POPULATIONS["folds_by"]}


def window_of_populations():
    """Give the window around a TSS that models of populations read; none without these."""
    return {key: POPULATIONS[key] for key in ("upstream", "downstream")} if POPULATIONS else {}


def database_files():
    """Give the user's files of known motifs; JASPAR comes with a package."""
    files = {key: config["database"][key] for key in ("source", "tf_names", "clusters")}
    if files["source"].lower().startswith("jaspar:"):
        del files["source"]
    return [existing(path, f"database.{key}") for key, path in files.items() if path]


SIMULATED_COUNTS = "counts.h5ad"
if SIMULATED_MULTIOME:
    SIMULATED_COUNTS = "atac.h5ad" if ATAC_ALONE else "rna.h5ad"
COUNTS = input_file("counts", "path", SIMULATED_COUNTS)
GENOME = input_file("genome", "fasta", "genome.fa")
ANNOTATION = input_file("genome", "gtf", "annotation.gtf")
GIVEN_FILES = given_files()
POPULATION_FILES = population_files()
DATABASE = database_files()
KNOWN_MOTIFS = {key: config["database"][key] for key in ("source", "tf_names")}
# what is known about links, by kind
LINK_TRUTHS = {
    kind: existing(path, f"links.truth.{kind}")
    for kind, path in ((LINKS or {}).get("truth") or {}).items()
    if path
}
CELL_TABLE = optional_file("counts", "cell_table")
PEAK_BED = optional_file("peaks", "bed")
BLACKLIST = optional_file("peaks", "blacklist")
REGIONS_BED = optional_file("regions", "bed")
VARIANT_FILE = optional_file("variants", "vcf")
ATTRIBUTED_BED = optional_file("attributions", "bed")
PEAK_COUNTS = several_files(PEAKS["path"], "peaks.path") if MULTIOME and PEAKS["path"] else []
if MULTIOME and SIMULATED:
    PEAK_COUNTS = f"{SIMULATION}/atac.h5ad"
ALIASES = (
    []
    if config["genome"]["chromosomes"] in ("auto", "as_is")
    else optional_file("genome", "chromosomes")
)


def gene_sets_file():
    """Give the user's GMT, else the simulated one, else nothing."""
    if path := config["gene_sets"]["gmt"]:
        return existing(path, "gene_sets.gmt")
    return when(TRUTH, f"{SIMULATION}/gene_sets.gmt")


def archive_of(wildcards):
    """Give the archive that a file is in."""
    return SOURCES[SOURCES[wildcards.download].archive].place(DOWNLOAD_FOLDER).as_posix()


def row_of(wildcards):
    """Give what the table of sources says of a file."""
    return asdict(SOURCES[wildcards.download])


def given_counts():
    """List the files of counts."""
    return [COUNTS] if isinstance(COUNTS, str) else list(COUNTS)


def how_to_read_counts():
    """Give the counts' keys but files, and the batches' names; the simulation's are known."""
    files = ("path", "cell_table")
    keys = {key: value for key, value in config["counts"].items() if key not in files}
    keys["batches"] = None
    if isinstance(config["counts"]["path"], dict):
        keys["batches"] = list(config["counts"]["path"])
    if SIMULATED:
        keys.update(cell_type="cell_type", batch="batch")
    return keys


def how_to_take_peaks(*keys):
    """Give these keys of the peaks; nothing where genes are the targets."""
    return PEAKS and {key: PEAKS[key] for key in keys}


def how_to_read_genes():
    """Give the genome's keys but the paths of FASTA and GTF."""
    keys = {key: value for key, value in config["genome"].items() if key not in ("fasta", "gtf")}
    return keys | ({"chromosomes": ALIASES} if ALIASES else {})


def deciding_keys():
    """Give the sections of the config, beside counts and genome, that decide what checks say."""
    return {key: config[key] for key in (*DECIDING, *config["models"])}


def where_genes_start():
    """Give the keys by which genes and their TSS are read from the annotation."""
    return {key: config["genome"][key] for key in ("gene_id", "tss_rule")}


def window_of_genes():
    """Give the window around a TSS."""
    return {key: config["regions"][key] for key in ("upstream", "downstream")}


def tss_in_window():
    """Give the base of each window that is the TSS, from 0; None where windows have none."""
    around_tss = GIVEN is None and PEAKS is None and not config["regions"]["bed"]
    return config["regions"]["upstream"] if around_tss else None


GENE_SETS = gene_sets_file()
# the genome's plain copy and index, made by check_inputs; their names hold the source's digest
GENOME_INDEX = ancient("results/{name}/genome")
