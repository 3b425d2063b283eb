"""Helpers that rules share: the checked config, paths of inputs and targets, code digests."""

import os
import re
import sys
from dataclasses import asdict
from pathlib import Path

from snakemake.exceptions import WorkflowError

# where these files are; workflow.basedir is another folder if they are a module of another workflow
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from cisgrammar.common.config import complete_config, read_schema
from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import require_file
from cisgrammar.common.provenance import source_hash
from cisgrammar.downloads.sources import PREFIX, read_sources, resolve

SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")

CONFIG_FILES = ", ".join(map(os.path.relpath, workflow.configfiles)) or "the module's config"

PROBLEMS = Problems()  # with keys and files; all are told at once, at the end of this file

try:
    checked = complete_config(config, SCHEMA, source=CONFIG_FILES)
    SOURCES = read_sources(ROOT / "resources/sources.tsv")
    if checked["downloads"]["sources"] is not None:
        SOURCES |= read_sources(checked["downloads"]["sources"])
except InputError as error:
    raise WorkflowError(str(error)) from None
DOWNLOAD_FOLDER = Path(checked["downloads"]["folder"]).expanduser().as_posix()
checked, DOWNLOADS = resolve(checked, SOURCES, DOWNLOAD_FOLDER, PROBLEMS)
config = checked  # a new one: as a module, the old one is that of another workflow

NAME = config["name"]
FAMILIES = config["families"]
POOLED = [family for family in FAMILIES if family != "scbasset"]  # whose targets are pools
SCORE = config["influence"]["score"]
FOLDS = range(config["folds"]["n_folds"])
SCBASSET_FOLDS = range(config["scbasset"]["folds"])
# threads change no result, so that they make nothing run again
TRAINING = {key: value for key, value in config["training"].items() if key != "threads"}
SIMULATION = f"results/{NAME}/simulation"
SIMULATED = config["simulation"] is not None
SIMULATED_MULTIOME = SIMULATED and config["simulation"]["multiome"] is not None
TRUTH = SIMULATED and not SIMULATED_MULTIOME  # of what drives pools x genes
GIVEN = config["given"]
PEAKS = config["peaks"]
ATAC_ALONE = PEAKS is not None and config["counts"]["modality"] == "atac"
MULTIOME = PEAKS is not None and not ATAC_ALONE
# pools x genes, by which TFs are found; none where expression was not measured
EXPRESSION = {
    (True, False): "results/{name}/pools_expression.h5ad",
    (False, False): "results/{name}/pools.h5ad",
}.get((MULTIOME, ATAC_ALONE or GIVEN is not None))
# where all cell types are, so that each has one colour in every figure
CELL_TYPES = "results/{name}/cells.h5ad" if GIVEN is None else "results/{name}/dataset.h5ad"


wildcard_constraints:
    name=r"[^/]+",
    family="|".join(POOLED) or "none",
    fold=r"\d+",


def code(script):
    """Digest a script and the library modules behind it, so that a change to them reruns its rule.

    Snakemake itself looks at the script alone, and at its time, which a checkout changes.
    """
    return source_hash(ROOT / "workflow/scripts" / f"{script}.py")


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
    return not config["regions"]["bed"] if PEAKS is None else PEAKS["distal"] is not None


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
    if not unknown and (path not in DOWNLOADS or DOWNLOADS[path].is_local):
        try:
            require_file(path, key, folder_too=folder_too)
        except InputError as error:
            PROBLEMS.add(str(error))
    return path


def given_files():
    """Give the user's files of sequences and targets, where data come as these."""
    keys = ("fasta", "targets", "regions", "labels") if GIVEN is not None else ()
    return {key: existing(GIVEN[key], f"given.{key}") for key in keys if GIVEN[key]}


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
DATABASE = database_files()
CELL_TABLE = optional_file("counts", "cell_table")
PEAK_BED = optional_file("peaks", "bed")
BLACKLIST = optional_file("peaks", "blacklist")
REGIONS_BED = optional_file("regions", "bed")
MUTATED = config["scbasset"]["mutagenesis"]["bed"]
MUTATED_BED = existing(MUTATED, "scbasset.mutagenesis.bed") if MUTATED else []
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


def one_of(names):
    """Match these names alone."""
    return "|".join(map(re.escape, names))


def archive_of(wildcards):
    """Give the archive that a file is in."""
    return SOURCES[SOURCES[wildcards.download].archive].place(DOWNLOAD_FOLDER).as_posix()


def row_of(wildcards):
    """Give what the table of sources says of a file."""
    return asdict(SOURCES[wildcards.download])


def scaled(base, **per_mb):
    """Ask for a base, and so much for each MB of an input; twice as much at every retry.

    A rate is a number, or a function of the wildcards that gives it.
    """

    def ask(wildcards, input, attempt):
        rates = {name: r(wildcards) if callable(r) else r for name, r in per_mb.items()}
        by_size = sum(rate * megabytes(input.get(name)) for name, rate in rates.items())
        return int((base + by_size) * 2 ** (attempt - 1))

    return ask


def megabytes(paths):
    """Add up the sizes of an input: a file, a folder, or several of them; or take its size."""
    if isinstance(paths, (int, float)):
        return paths
    paths = [Path(paths)] if isinstance(paths, str) else map(Path, paths)
    files = [file for path in paths for file in (path.iterdir() if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files) / 1e6


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


def where_genes_start():
    """Give the keys by which genes and their TSS are read from the annotation."""
    return {key: config["genome"][key] for key in ("gene_id", "tss_rule")}


def window_of_genes():
    """Give the window around a TSS."""
    return {key: config["regions"][key] for key in ("upstream", "downstream")}


FAMILY = "results/{name}/{family}"
# jobs that the most others wait for go before those beside them
ON_LONGEST_WAY = 1


def when(condition, path):
    """Give a path where a condition holds, else nothing."""
    return path if condition else []


def family_figures(category, family="{family}", **figures):
    """Declare figures of a model family: the SVG goes to the report, the PNG stands beside it.

    Each keyword gives a figure's file name, which is its caption's too, and its title.
    """
    folder = f"results/{{name}}/{family}/figures"
    outputs = {
        key: report(
            f"{folder}/{stem}.svg",
            caption=f"../report/{stem}.rst",
            category=category,
            subcategory=family,
            labels={"figure": title},
        )
        for key, (stem, title) in figures.items()
    }
    return outputs | {"png": [f"{folder}/{stem}.png" for stem, _ in figures.values()]}


def means_of_families(label):
    """Give the tables of families' scores by a label of pools: both scores, raw and standardised."""
    return {
        f"{score}_by_{label}{z}": f"{FAMILY}/family_{score}_by_{label}{z}.tsv"
        for score in ("influence", "effect")
        for z in ("", "_z")
    }


def family_table(path, caption, category, title, family="{family}"):
    """Declare a table of a model family that is shown in the report."""
    return report(
        f"results/{{name}}/{family}/{path}",
        caption=f"../report/{caption}.rst",
        category=category,
        subcategory=family,
        labels={"figure": title},
    )


def per_fold(file, family="{family}", folds=FOLDS):
    """List one file for each fold, keeping the other wildcards."""
    return [f"results/{{name}}/{family}/fold{fold}/{file}" for fold in folds]


def shuffled(file):
    """List the scores of the models trained on shuffled labels, where these are asked for."""
    return when(
        config["scbasset"]["shuffled_control"],
        per_fold(f"shuffled_{file}", "scbasset", SCBASSET_FOLDS),
    )


def sequences_of(wildcards):
    """Give the sequences and targets that a family learns."""
    file = "accessibility.h5ad" if wildcards.family == "scbasset" else "dataset.h5ad"
    return f"results/{wildcards.name}/{file}"


def folds_of(wildcards):
    """Give the folds of a family's sequences."""
    file = "scbasset/folds.tsv" if wildcards.family == "scbasset" else "folds.tsv"
    return f"results/{wildcards.name}/{file}"


def how_to_build(family):
    """Give the keys that a family's models are built by and learn by.

    What decides which data there are, how long training lasts and how often it is saved, and
    what is made of trained models (sub-sections) is left out, for a change of it must not train
    them again.
    """
    others = ("folds", "min_share", "epochs", "patience", "checkpoint_epochs", "shuffled_control")
    section = config[family]
    return {
        key: value
        for key, value in section.items()
        if key == "search" or not (key in others or isinstance(value, dict))
    }


def how_to_train(family):
    """Give the keys of training, those of a family's own instead of the general ones."""
    section = config[family]
    return TRAINING | {key: section[key] for key in ("epochs", "patience") if key in section}


def how_to_tune(family):
    """Give the keys of tuning; where the search leaves no choice they change nothing."""
    choice = any(len(set(values)) > 1 for values in config[family]["search"].values())
    return config["tuning"] if choice else dict.fromkeys(config["tuning"], 1)


def training_minutes(wildcards):
    """Allow time for each MB of data; where no family is named, for the slowest."""
    families = FAMILIES if wildcards is None else [wildcards.family]
    return max(how_to_train(family)["epochs"] for family in families) / 50


def tuning_minutes(wildcards):
    """Allow time for each MB of data, in the same way."""
    families = FAMILIES if wildcards is None else [wildcards.family]
    keys = map(how_to_tune, families)
    return max(tuning["trials"] * tuning["epochs"] for tuning in keys) / 1000


# What final_outputs() adds for scBasset, in results/{name}/scbasset/; rules append to it.
SCBASSET_OUTPUTS = []


def final_outputs():
    """List what `snakemake` makes when no target is named."""
    files = ["provenance.json", *when(GIVEN is None, ["preflight.tsv"])]
    files += when(POOLED, outputs_of_pools())
    files += [f"scbasset/{file}" for file in SCBASSET_OUTPUTS if "scbasset" in FAMILIES]
    return [f"results/{NAME}/{file}" for file in files]


def outputs_of_pools():
    """List what is made of pools and of the families that learn them."""
    shared = ["dataset.h5ad"]
    of_family = ["evaluation.tsv", "influence_by_cell_type_z.tsv", "comparison.tsv"]
    figures = ["r2_over_folds", "influence_heatmap", "family_heatmap", "motif_space"]
    figures += ["method_comparison"]
    if GIVEN is None:  # cells and their expression are known
        shared += ["figures/umap_cells.svg", "figures/pool_purity.svg"]
        figures += ["gene_set_heatmap"]
    if EXPRESSION:
        of_family += ["regulators_summary.tsv"]
        figures += ["regulator_volcano"]
    if config["comparison"]["list_hits"]:
        shared += ["motif_hits.tsv"]
    if TRUTH:
        of_family += ["truth/summary.tsv"]
        figures += ["influence_against_truth"]
    if config["sweep"]["cells_per_pool"] and GIVEN is None:
        figures += ["pool_size_sweep"]
    of_family += [f"figures/{figure}.svg" for figure in figures]
    return shared + [f"{family}/{file}" for family in POOLED for file in of_family]


GENE_SETS = gene_sets_file()

try:
    PROBLEMS.raise_if_any()
except InputError as error:
    raise WorkflowError(str(error)) from None
