"""What a run will do, in words: what the checks found, what remains, what it takes, what comes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cisgrammar.common.files import read_table
from cisgrammar.downloads.sources import Source

LATER = {  # tables of an earlier run that say what was dropped after the checks
    "region_counts.tsv": "genes or peaks to windows",
    "sequence_counts.tsv": "windows to sequences",
    "accessibility_counts.tsv": "peaks and cells that scBasset learns",
}
STARTING = 8.0  # seconds of a job on files of no size
ROOM = 10.0  # times that limits for the size of files are above what jobs took
_CELLS = re.compile(r"([\d,]+) cells x ([\d,]+)")
_SEQUENCES = re.compile(r"([\d,]+)(?: of ([\d,]+) bases)?")
_BENCHMARK = ["dataset", "rule", "seconds", "memory_mb"]


@dataclass(frozen=True)
class Machine:
    """What a computer has: cores, memory, and what is free on the disk of results, in MB."""

    cores: int
    memory_mb: float
    disk_mb: float


@dataclass(frozen=True)
class Need:
    """What a rule takes: jobs, and of each the memory asked for in MB, and seconds as guessed."""

    jobs: int
    memory_mb: float
    seconds: float


def guessed_seconds(limit: float, floor: float) -> float:
    """Guess what a job takes from the time that is asked for it.

    Parameters
    ----------
    limit
        Minutes that are asked for.
    floor
        Those that would be asked for if its files were empty.

    Returns
    -------
    Seconds: some to start Python, and a part of the room that is left for the size of files.
    """
    return STARTING + 60 * (limit - floor) / ROOM


def downloads(name: str, sources: Iterable[Source], folder: str | Path, config: str) -> str:
    """Say which files have to come from the web before they can be checked.

    Parameters
    ----------
    name
        The data set's.
    sources
        Of the files that are not there.
    folder
        Where they will be kept.
    config
        The config's path.
    """
    sources = list(sources)
    sizes = [source.size for source in sources if source.size is not None]
    known = f"{len(sizes)} of them: {_gb(sum(sizes) / 1e6)}" if sizes else "sizes are not known"
    lines = [
        f"Nothing is wrong with the config of {name}, but {len(sources)} "
        f"{'file is' if len(sources) == 1 else 'files are'} not there yet ({known}).",
        f"== To be fetched into {folder} ==",
    ]
    for source in sources:
        size = "" if source.size is None else f"  ({source.size / 1e6:,.0f} MB)"
        lines += [f"  {source.name}{size}", f"    {source.url}"]
    lines += [
        "The check goes on once they are there. This brings them, once for all data sets:",
        f"  snakemake fetch --cores 1 --configfile {config}",
        "Without a network here, put them there under these names, or choose the folder where they "
        "are with `downloads.folder`.",
    ]
    return "\n".join(lines)


def amounts(preflight: pd.DataFrame) -> dict[str, int]:
    """Read the amounts of data off the table of checks.

    Parameters
    ----------
    preflight
        check, found, status, note.

    Returns
    -------
    ``cells``, ``genes`` (or peaks), ``sequences``, ``length`` and ``targets``, as far as told.
    """
    found: dict[str, int] = {}
    two_sides = (preflight["check"] == "shared cells").any()  # RNA and peaks of the same cells
    for check, text in zip(preflight["check"], preflight["found"], strict=True):
        if check.startswith("counts") and (match := _CELLS.search(text)):
            if not (two_sides and check.startswith("counts of peaks")):
                found["cells"] = found.get("cells", 0) + _number(match[1])
            found["genes"] = max(found.get("genes", 0), _number(match[2]))
        elif check == "sequences" and (match := _SEQUENCES.match(text)):
            found["sequences"] = _number(match[1])
            if match[2]:
                found["length"] = _number(match[2])
        elif check in ("pools", "targets") and (match := re.match(r"[\d,]+", text)):
            found["targets"] = _number(match[0])
    return found


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def read_benchmarks(folder: str | Path) -> pd.DataFrame:
    """Read what jobs of earlier runs took.

    Parameters
    ----------
    folder
        Holds ``DATASET/RULE[.WILDCARDS].tsv``, as Snakemake writes benchmarks.

    Returns
    -------
    One row per data set and rule: dataset, rule, median seconds, largest memory_mb.
    """
    rows = []
    for path in sorted(Path(folder).glob("*/*.tsv")):
        table = pd.read_csv(path, sep="\t", na_values=["-"])
        for column in {"s", "max_rss"} - set(table.columns):
            table[column] = float("nan")
        rule = path.name.split(".")[0]
        rows += [(path.parent.name, rule, s, mb) for s, mb in table[["s", "max_rss"]].to_numpy()]
    jobs = pd.DataFrame(rows, columns=_BENCHMARK)
    grouped = jobs.groupby(["dataset", "rule"], sort=False, as_index=False)
    return grouped.agg(seconds=("seconds", "median"), memory_mb=("memory_mb", "max"))


def outlook(
    name: str,
    preflight: pd.DataFrame,
    needs: Mapping[str, Need],
    outputs: Iterable[str],
    measured: pd.DataFrame,
    machine: Machine,
    results: str | Path,
    results_mb: float,
) -> str:
    """Tell in words what a run of this config will do.

    Parameters
    ----------
    name
        Of the data set.
    preflight
        check, found, status, note.
    needs
        What each rule asks for.
    outputs
        Paths of all results.
    measured
        As from :func:`read_benchmarks`.
    machine
        This one.
    results
        Folder of the data set, where tables of an earlier run may be.
    results_mb
        What files to come will take on the disk, as guessed.
    """
    told, warnings = _room(needs, results_mb, machine)
    parts = [
        *_outputs(list(outputs)),
        "",
        f"== Time and memory, on {machine.cores} cores with {_gb(machine.memory_mb)} of memory ==",
        *_takes(name, needs, measured, machine),
        *told,
        *warnings,
        "",
        f"== Findings: {name} ==",
        *_found(preflight),
        "",
        "== What remains after filtering ==",
        *_remains(preflight, Path(results)),
    ]
    n = int((preflight["status"] == "warning").sum()) + len(warnings)
    end = "No problem was found: the run can start."
    if n:
        end += f" Read the warnings first (lines with `!`): {n}."
    return "\n".join([*parts, "", end])


def _found(preflight: pd.DataFrame) -> list[str]:
    width = max(map(len, preflight["check"]), default=0)
    lines = []
    for check, found, status, note in preflight.itertuples(index=False):
        mark = "!" if status == "warning" else " "
        lines.append(f"{mark} {check:<{width}}  {found}")
        if note:
            lines.append(f"  {'':<{width}}  {note}")
    return lines


def _remains(preflight: pd.DataFrame, results: Path) -> list[str]:
    lines = []
    for check in ("chosen cells", "pools", "targets", "sequences"):
        for found, note in preflight.loc[preflight["check"] == check, ["found", "note"]].to_numpy():
            why = f" ({note})" if "dropped" in note else ""
            lines.append(f"  {check}: {found}{why}")
    if (preflight["check"] == "targets").any():
        return lines
    earlier = [(what, results / file) for file, what in LATER.items() if (results / file).exists()]
    for what, path in earlier:
        steps = read_table(path).itertuples(index=False)
        told = "; ".join(f"{step}: {n:,}" for step, n in steps)
        lines.append(f"  {what}, in the last run: {told}")
    if not earlier and (preflight["check"] == "pools").any():
        lines.append(
            "  Sequences whose gene or peak is detected in too few pools (`dataset`) are dropped "
            "later, once the pools exist. sequence_counts.tsv will say how many."
        )
    return lines


def _takes(
    name: str, needs: Mapping[str, Need], measured: pd.DataFrame, machine: Machine
) -> list[str]:
    width = max(map(len, needs), default=4)
    lines = [f"  {'rule':<{width}}  {'jobs':>4}  {'memory':>8}  {'about':>8}  taken before"]
    here = measured[measured["dataset"] == name].set_index("rule")
    others = measured[measured["dataset"] != name].drop_duplicates("rule", keep="last")
    others = others.set_index("rule")
    total = 0.0
    for rule, need in needs.items():
        seconds = here["seconds"].get(rule, float("nan"))
        total += need.jobs * (need.seconds if pd.isna(seconds) else seconds)
        before = ""
        if rule in here.index:
            before = _taken(here.loc[rule])
        elif rule in others.index:
            before = f"{_taken(others.loc[rule])} in {others.loc[rule, 'dataset']}"
        mark = "!" if need.memory_mb > machine.memory_mb else " "
        lines.append(
            f"{mark} {rule:<{width}}  {need.jobs:>4}  {_gb(need.memory_mb):>8}  "
            f"{_time(need.seconds):>8}  {before}".rstrip()
        )
    each = f"about {_time(total / machine.cores)} on {machine.cores} cores that are always busy"
    lines += [
        f"  All jobs together take about {_time(total)} one after another, or {each}.",
        "  `about` is an estimate from the sizes of files, for CPUs; the job may take half "
        "or twice as long. `memory` is what a job requests from a scheduler, usually several times "
        "what it uses.",
    ]
    return lines + _how_known(needs, here.index, any(" in " in line for line in lines[1:-2]))


def _how_known(needs: Mapping[str, Need], here: pd.Index, elsewhere: bool) -> list[str]:
    """Say what times were measured, and what was not."""
    lines = []
    if known := len(here.intersection(list(needs))):
        lines.append(
            f"  {known} of {len(needs)} rules were measured in an earlier run of this data set. "
            "Their times change with the config and the files."
        )
    if not {"tune_model", "train_model"} <= set(here):
        lines.append(
            "  Tuning and training have not been run for this data set here. Their time grows with "
            "the number of trials, epochs, filters, sequences and pools, and with the sequences' "
            "length."
        )
    if elsewhere:
        lines.append("  Times with `in` and a name were measured in that data set.")
    return lines


def _room(
    needs: Mapping[str, Need], results_mb: float, machine: Machine
) -> tuple[list[str], list[str]]:
    """Say whether there is room for results, and memory for jobs; warnings come apart."""
    text = f"The results will take about {_gb(results_mb)} of disk space; {_gb(machine.disk_mb)}"
    text += " are free there"
    told, warnings = [f"  {text}."], []
    if results_mb > machine.disk_mb:
        told, warnings = [], [f"! {text}. Make room, or work in another folder."]
    if any(need.memory_mb > machine.memory_mb for need in needs.values()):
        told.append(
            "! Rules with `!` request more memory than this machine has. They may need less. If a "
            "job is killed, use a machine with more memory, or fewer pools or sequences."
        )
    return told, warnings


def _taken(row: pd.Series) -> str:
    memory = "" if pd.isna(row["memory_mb"]) else f", {_gb(row['memory_mb'])}"
    return f"{_time(row['seconds'])}{memory}"


def _gb(mb: float) -> str:
    return f"{mb / 1000:.1f} GB"


def _time(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _outputs(outputs: list[str]) -> list[str]:
    there = sum(Path(path).exists() for path in outputs)
    folded: dict[str, int] = {}
    for path in sorted(outputs):
        pattern = re.sub(r"/fold\d+/", "/fold*/", path)
        pattern = re.sub(r"\.(png|svg)$", ".{png,svg}", pattern)
        folded[pattern] = folded.get(pattern, 0) + 1
    lines = [f"  {path}" + (f"  ({n})" if n > 1 else "") for path, n in folded.items()]
    return [f"== Files that a run makes: {len(outputs)} (already there: {there}) ==", *lines]
