"""What all the other files use: the checked config, code digests, resources."""

import os
import re
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError

# where these files are; workflow.basedir is another folder if they are a module of another workflow
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
sys.path.insert(0, str(ROOT / "src"))

# Threads that wait sleep, and do not keep a processor busy that another job could use. Where jobs share
# processors, training is otherwise many times slower. Jobs inherit it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from cisgrammar.checks.asked_models import attributed_models, sequence_readers
from cisgrammar.checks.config import complete_config
from cisgrammar.common.config import raise_all, read_schema
from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.logs import why_stopped
from cisgrammar.common.provenance import source_hash
from cisgrammar.common.yaml_text import problems_of_yaml
from cisgrammar.downloads.sources import read_sources, resolve

SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")

CONFIG_FILES = ", ".join(map(os.path.relpath, workflow.configfiles)) or "the module's config"

# with keys and files; all are reported together, at the end of model_settings.smk
PROBLEMS = Problems()

try:
    for file in workflow.configfiles:
        raise_all(os.path.relpath(file), problems_of_yaml(file))
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
STARTED = time.time()
FIRST_PAGE = f"results/{NAME}/summary.html"
# jobs that the most others wait for go before those beside them
ON_LONGEST_WAY = 1
DEVICE = {key: config["training"][key] for key in ("device", "deterministic")}


wildcard_constraints:
    name=r"[^/]+",
    fold=r"\d+",


def code(script, *more):
    """Digest a script, the library modules behind it and more of them.

    A change to what they do makes jobs run again. Snakemake itself looks at the script alone, and
    at its time, which a checkout changes. The table of models is left out: adding one changes none.
    """
    path = ROOT / "workflow/scripts" / f"{script}.py"
    return source_hash(path, also=more, leave_out=["models/registry.py"])


def one_of(names):
    """Match these names alone; none matches nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"


def when(condition, path):
    """Give a path where a condition holds, else nothing."""
    return path if condition else []


def scaled(base, **per_mb):
    """Ask for a base, and so much for each MB of an input; twice as much at every retry.

    A rate is a number, or a function of the wildcards that gives it.
    """

    def ask(wildcards, input, attempt):
        rates = {name: r(wildcards) if callable(r) else r for name, r in per_mb.items()}
        by_size = sum(rate * megabytes(input.get(name, 0)) for name, rate in rates.items())
        return int((base + by_size) * 2 ** (attempt - 1))

    return ask


def was_written(path):
    """Say whether this run has written a file."""
    return Path(path).exists() and Path(path).stat().st_mtime >= STARTED


def megabytes(paths):
    """Add up the sizes of an input: a file, a folder, or several of them; or take its size."""
    if isinstance(paths, (int, float)):
        return paths
    paths = [Path(paths)] if isinstance(paths, str) else map(Path, paths)
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files) / 1e6
