"""What the target `check` tells beside the checks of inputs: jobs, outputs, what they need."""

import shutil
import subprocess
import tempfile
import yaml

from cisgrammar.common.files import LEAST_FREE, read_table
from cisgrammar.checks.outlook import (
    Machine,
    Need,
    amounts,
    downloads,
    guessed_seconds,
    outlook,
    read_benchmarks,
)

# Gives the name that a rule has here, where this is a module and its rules were renamed.
renamed = workflow.modifier.modify_rulename


def ask_snakemake(*options):
    """Ask Snakemake about all results of this config; nothing is run.

    It is asked about this pipeline alone, also where that is a module of another workflow.
    """
    command = [sys.executable, "-m", "snakemake", "--nolock", "--cores", "1", *options]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(dict(config), file)
        file.flush()
        command += ["--snakefile", str(ROOT / "Snakefile"), "--configfile", file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise WorkflowError(done.stderr)
    return done.stdout + done.stderr


def jobs_of_rules():
    """Count the jobs of each rule, those that are done too, in the order that they come."""
    stats = ask_snakemake("--dry-run", "--forceall", "--quiet", "rules").partition("Job stats:")[2]
    rows = re.findall(r"^(\w+) +(\d+)$", stats.partition("\ntotal ")[0], re.M)
    counts = {renamed(name): int(count) for name, count in rows if name != "all"}
    return {each.name: counts[each.name] for each in workflow.rules if each.name in counts}


def all_outputs():
    """List all files that the rules make."""
    lines = ask_snakemake("--detailed-summary").splitlines()
    return [line.split("\t")[0] for line in lines if line.startswith(f"results/{NAME}/")]


def guessed_megabytes(found):
    """Guess the sizes of the large files that are still to come, uncompressed."""
    targets, sequences = found.get("targets", 0), found.get("sequences", 0)
    window = sum(window_of_genes().values()) if PEAKS is None else PEAKS["length"]
    length = found.get("length", window)
    return {
        "accessibility.h5ad": found.get("genes", 0) * config["accessibility"]["length"] / 3e6
        + sum(megabytes(path) for path in given_counts() if Path(path).exists()),
        "cells.h5ad": sum(megabytes(path) for path in given_counts() if Path(path).exists()),
        "pools.h5ad": targets * found.get("genes", 0) * 4 / 1e6,
        "dataset.h5ad": sequences * (4 * targets + length) / 1e6,
    }


class SizesOfInputs:
    """The inputs of a rule as `scaled` asks for them, in MB instead of paths."""

    def __init__(self, inputs, guessed):
        self.inputs, self.guessed = inputs, guessed

    def get(self, name, default=None):
        """Add up what is there, and guess what is not."""
        paths = self.inputs.get(name, [])
        if callable(paths):  # by model: the largest counts
            return max(self._size_of_all(paths(each)) for each in of_each(CHOSEN))
        return self._size_of_all(paths)

    def _size_of_all(self, paths):
        paths = [paths] if isinstance(paths, str) else paths
        return sum(self._size(str(path).replace("{name}", NAME)) for path in paths)

    def _size(self, path):
        if Path(path).exists():
            return megabytes(path)
        return self.guessed.get(Path(path).name, 0)


def needs_of_rules(guessed):
    """Say what the jobs of each rule ask for."""
    needs = {}
    for name, jobs in jobs_of_rules().items():
        asks = workflow.get_rule(name)
        sizes = SizesOfInputs(asks.input, guessed)
        memory, limit, floor = (
            asks.resources[key].evaluate(None, input=its, attempt=1).value
            for key, its in (("mem_mb", sizes), ("runtime", sizes), ("runtime", {}))
        )
        needs[name] = Need(jobs, memory, guessed_seconds(limit, floor))
    return needs


def tell_outlook(preflight, log):
    """Tell what the checks found, and what a run will do, to the terminal and a file."""
    table = read_table(preflight)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6
    guessed = guessed_megabytes(amounts(table))
    text = outlook(
        NAME,
        table,
        needs_of_rules(guessed),
        all_outputs(),
        read_benchmarks("benchmarks/results"),
        Machine(len(os.sched_getaffinity(0)), memory, shutil.disk_usage(".").free / 1e6),
        f"results/{NAME}",
        LEAST_FREE + sum(guessed.values()),
    )
    tell(text, log)


def tell_downloads(log):
    """Tell which files have to be fetched before they can be checked."""
    files = [ABSENT[name] for name in TO_FETCH]
    tell(downloads(NAME, files, DOWNLOAD_FOLDER, CONFIG_FILES), log)


def tell(text, log):
    """Write to a file and to the terminal."""
    Path(log).write_text(text + "\n")
    print(text, flush=True)
