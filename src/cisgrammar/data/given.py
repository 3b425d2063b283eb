"""Data that come as sequences and targets: a FASTA and a table, no genome needed."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import examples, is_bed_header, nearest, open_text
from cisgrammar.data.text_tables import read_text_table
from cisgrammar.genome.sequence import N, encode

logger = logging.getLogger(__name__)

FASTA_KEY, TABLE_KEY = "given.fasta", "given.targets"
REGIONS_KEY, LABELS_KEY, CELL_TYPE_KEY = "given.regions", "given.labels", "given.cell_type"

MAX_PROBLEMS = 10  # sequences with wrong letters to name before stopping

_POSITION = re.compile(
    r"^(?P<chrom>[^\s:]+?)[:_](?P<start>[0-9]{1,12})[-_](?P<end>[0-9]{1,12})(?=$|\D)"
)


def read_given(
    fasta: str | Path,
    table: str | Path,
    regions: str | Path | None = None,
    labels: str | Path | None = None,
    cell_type: str = "cell_type",
) -> AnnData:
    """Read sequences and their targets.

    Parameters
    ----------
    fasta
        Sequences of one length; the name is the first word after ``>``. Plain or gzip.
    table
        TSV, plain or gzip: sequence names, then one column of numbers per target.
    regions
        BED with the names in its fourth column, for chromosomes and places (to
        group folds by); else both are read off names such as ``chr1:100-300`` and
        ``chr1_100_300``, and are ``unknown`` and 0 where names say nothing.
    labels
        TSV about the targets: their names, then columns.
        Without it, a target is its own cell type.
    cell_type
        The column of ``labels`` that says the cell type.

    Returns
    -------
    Targets x sequences, float32, in the order of table and FASTA, with
    ``varm["codes"]`` and var columns gene_name, chrom, start, end, strand.

    Raises
    ------
    InputError
        If a file is missing or broken, names differ between files or occur
        twice, sequences differ in length or hold other letters than A, C, G, T
        and N, or targets are not numbers.
    """
    names, codes = read_sequences(fasta)
    targets = read_targets(table)
    problems = Problems()
    _check_names(problems, names, fasta, targets.index, table)
    problems.raise_if_any()
    var = _places_from_names(names) if regions is None else _places_from_bed(regions, names, fasta)
    obs = _target_labels(labels, cell_type, targets.columns, table)
    return _assemble(targets, codes, obs, var, fasta)


def read_scover_table(
    table: str | Path, labels: str | Path | None = None, cell_type: str = "cell_type1"
) -> AnnData:
    """Read the table that scover itself took as input.

    Parameters
    ----------
    table
        TSV: names, and columns ``sequence`` and ``ind``; the latter holds the
        values of all targets, separated by commas.
    labels
        TSV about the targets (scover's colData), in the order of the values.
    cell_type
        The column of ``labels`` that says the cell type.

    Returns
    -------
    As of :func:`read_given`; without labels, targets are ``target0`` and so on.

    Raises
    ------
    InputError
        As of :func:`read_given`; or if a row has another number of values.
    """
    frame = _read_tsv(table, TABLE_KEY)
    problems = Problems()
    for column in {"sequence", "ind"} - set(frame.columns):
        problems.add(
            f"{table}: there is no column `{column}`, which a table of scover has. Correct its "
            f"header; or, if sequences are in a FASTA, name that in `{FASTA_KEY}`."
        )
    problems.raise_if_any()
    _check_unique(problems, frame.index, table, "sequence")
    values = frame["ind"].str.split(",", expand=True)
    obs = None if labels is None else _read_tsv(labels, LABELS_KEY)
    names = [f"target{i}" for i in range(values.shape[1])] if obs is None else list(obs.index)
    if values.isna().to_numpy().any() or len(names) != values.shape[1]:
        found = frame["ind"].str.count(",") + 1
        problems.add(
            f"{table}: its rows hold {found.min()} to {found.max()} values, for {len(names)} "
            "targets. Each row needs one value per target"
            + (f", as many as {labels} has rows." if labels else ".")
        )
    problems.raise_if_any()
    values.columns = names
    numbers = _to_numbers(values, table, problems)
    codes = _encode(list(frame.index), list(frame["sequence"]), table, problems)
    obs = _target_labels(labels, cell_type, values.columns, table)
    return _assemble(numbers, codes, obs, _places_from_names(list(frame.index)), table)


def _assemble(
    targets: pd.DataFrame, codes: np.ndarray, obs: pd.DataFrame, var: pd.DataFrame, source: object
) -> AnnData:
    values = np.ascontiguousarray(targets.loc[var.index].to_numpy(dtype=np.float32).T)
    data = AnnData(values, obs=obs, var=var)
    data.varm["codes"] = codes
    logger.info("%s: %d sequences of %d bases, %d targets", source, *codes.shape, data.n_obs)
    return data


def describe(data: AnnData) -> pd.DataFrame:
    """Say what was found, in the columns of :func:`cisgrammar.checks.preflight.preflight`.

    Parameters
    ----------
    data
        As from :func:`read_given`.

    Returns
    -------
    check, found, status (``ok`` or ``warning``) and note.
    """
    n, length = data.varm["codes"].shape
    unknown = int((data.varm["codes"] == N).any(axis=1).sum())
    values = np.unique(data.X)
    chroms = data.var["chrom"].astype(str)
    placed = chroms != "unknown"
    types = data.obs["cell_type"].astype(str).unique()
    rows = [
        ("sequences", f"{n:,} of {length:,} bases", f"such as {examples(data.var_names)}", False),
        ("unknown bases", f"{unknown:,} sequences hold N", "", unknown > n / 2),
        ("targets", f"{data.n_obs:,}", f"such as {examples(data.obs_names)}", False),
        (
            "values",
            f"{values[0]:g} to {values[-1]:g}" + " (0 and 1)" * (values.tolist() == [0, 1]),
            "all alike: there is nothing to learn" * (len(values) == 1),
            len(values) == 1,
        ),
        (
            "places",
            f"{placed.sum():,} of {n:,} sequences, on {chroms[placed].nunique()} chromosomes",
            "" if placed.all() else "folds cannot go by chromosome without all of them; "
            f"`{REGIONS_KEY}` says where sequences are",
            not placed.all(),
        ),
        ("cell types", f"{len(types)}: {examples(types, 12)}", "", False),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["check", "found", "note", "warning"])
    table["status"] = np.where(table["warning"], "warning", "ok")
    return table[["check", "found", "status", "note"]]


def read_sequences(fasta: str | Path) -> tuple[list[str], np.ndarray]:
    """Read a FASTA of sequences of one length.

    Parameters
    ----------
    fasta
        Plain or gzip.

    Returns
    -------
    Names, and codes uint8 ``(n, length)``, in the order of the file.

    Raises
    ------
    InputError
        If it is not a FASTA, is empty, a name occurs twice, or sequences are of
        several lengths or hold other letters than A, C, G, T and N.
    """
    names: list[str] = []
    parts: list[list[str]] = []
    with open_text(fasta, FASTA_KEY) as lines:
        for number, line in enumerate(lines, start=1):
            line = line.strip()
            if line.startswith(">"):
                names.append((line[1:].split() or [f"(line {number} has no name)"])[0])
                parts.append([])
            elif line and not parts:
                raise InputError(
                    f"{fasta}: line {number} should be a name that begins with `>`, and is "
                    f"{line[:30]!r}. The file is not FASTA: give one in `{FASTA_KEY}`."
                )
            elif line:
                parts[-1].append(line)
    sequences = ["".join(part) for part in parts]
    if not sequences:
        raise InputError(
            f"{fasta}: there is no sequence in it. Give another file in `{FASTA_KEY}`."
        )
    return names, _encode(names, sequences, fasta, Problems())


def _encode(
    names: list[str], sequences: list[str], path: str | Path, problems: Problems
) -> np.ndarray:
    """Turn sequences into codes ``(n, length)``, or say all that is wrong with them."""
    _check_unique(problems, pd.Index(names), path, "sequence")
    _check_lengths(problems, names, sequences, path)
    problems.raise_if_any()
    codes = np.empty((len(sequences), len(sequences[0])), dtype=np.uint8)
    for i, sequence in enumerate(sequences):
        try:
            codes[i] = encode(sequence)
        except ValueError as error:
            problems.add(
                f"{path}, sequence {names[i]}: {error}. Replace other letters by N, "
                "or give DNA if this is protein or RNA."
            )
            if len(problems.messages) == MAX_PROBLEMS:
                break
    problems.raise_if_any()
    return codes


def read_targets(table: str | Path) -> pd.DataFrame:
    """Read the table of targets.

    Parameters
    ----------
    table
        TSV, plain or gzip: names, then one column of numbers per target.

    Returns
    -------
    Index name, float64 columns.

    Raises
    ------
    InputError
        If it is empty or not tab-separated, a name occurs twice, or a value is missing
        or not a number.
    """
    frame = _read_tsv(table, TABLE_KEY)
    problems = Problems()
    _check_unique(problems, frame.index, table, "sequence")
    return _to_numbers(frame, table, problems)


def _to_numbers(frame: pd.DataFrame, table: str | Path, problems: Problems) -> pd.DataFrame:
    """Turn text into numbers, or say all that is wrong with a table."""
    numbers = frame.apply(pd.to_numeric, errors="coerce")
    bad = ~np.isfinite(numbers.to_numpy(dtype=float))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        problems.add(
            f"{table}: {bad.sum()} values are missing or not finite numbers, the first "
            f"{frame.iloc[row, column]!r} of {frame.index[row]} in column {frame.columns[column]}. "
            "Targets are numbers throughout; labels of targets go into a table of their own "
            f"(`{LABELS_KEY}`)."
        )
    problems.raise_if_any()
    return numbers.astype(float)


def _read_tsv(path: str | Path, key: str) -> pd.DataFrame:
    """Read a TSV as text, its first column as index."""
    frame = read_text_table(path, key)
    if frame.empty:
        raise InputError(
            f"{path}: the table has {len(frame)} rows and {frame.shape[1]} columns after the "
            f"names; at least one of each is needed. `{key}` takes a header line and columns "
            "separated by tabs (not commas or blanks)."
        )
    return frame


def _check_unique(problems: Problems, names: pd.Index, path: str | Path, what: str) -> None:
    twice = names[names.duplicated()].unique()
    if len(twice):
        problems.add(
            f"{path}: {len(twice)} {what} names occur more than once ({examples(twice)}). "
            "Names tell which row belongs to what: make each one different."
        )


def _check_lengths(
    problems: Problems, names: list[str], sequences: list[str], fasta: str | Path
) -> None:
    lengths = pd.Series([len(sequence) for sequence in sequences], index=names)
    usual = lengths.mode().get(0, 0)
    others = lengths[lengths != usual]
    if len(others):
        problems.add(
            f"{fasta}: {len(others)} of {len(lengths)} sequences are not {usual} bases long as the "
            f"others are: {examples(f'{name} ({n})' for name, n in others.items())}. Models read "
            "sequences of one length: cut or pad them (with N) around their middle."
        )
    elif usual == 0:
        problems.add(f"{fasta}: the sequences have no bases. Give another file in `{FASTA_KEY}`.")


def _check_names(
    problems: Problems, names: list[str], fasta: str | Path, rows: pd.Index, table: str | Path
) -> None:
    """Check that two files name the same sequences."""
    given = pd.Index(names)
    lacking, extra = given.difference(rows, sort=False), rows.difference(given, sort=False)
    if len(lacking) == len(given):
        problems.add(
            f"{table}: none of its {len(rows)} names ({examples(rows)}) is a sequence of {fasta} "
            f"({examples(names)}). The two files use different names, or the table has another "
            "column first: names come first, as they stand after `>` up to the first blank."
        )
        return
    for absent, here, there in ((lacking, fasta, table), (extra, table, fasta)):
        if len(absent):
            problems.add(
                f"{here}: {len(absent)} of its {len(names if here == fasta else rows)} names are "
                f"not in {there} ({examples(absent)}). Every sequence needs its targets and "
                "every row its sequence: remove these, or add what is missing."
            )


def _places_from_names(names: list[str]) -> pd.DataFrame:
    """Read chromosome, start and end off names; say how many tell."""
    matches = [_POSITION.match(name) for name in names]
    told = sum(match is not None for match in matches)
    logger.info("%d of %d sequence names tell a chromosome and a place", told, len(names))
    return _var(
        names,
        [match["chrom"] if match else "unknown" for match in matches],
        [int(match["start"]) if match else 0 for match in matches],
        [int(match["end"]) if match else 0 for match in matches],
        ["."] * len(names),
    )


def _places_from_bed(regions: str | Path, names: list[str], fasta: str | Path) -> pd.DataFrame:
    """Look up chromosome, start, end and strand in a BED."""
    rows: dict[str, tuple[str, int, int, str]] = {}
    with open_text(regions, REGIONS_KEY) as lines:
        for number, line in enumerate(lines, start=1):
            if is_bed_header(line):
                continue
            fields = line.rstrip("\r\n").split("\t")
            numbers = [re.fullmatch(r"[0-9]{1,12}", field) for field in fields[1:3]]
            if len(fields) < 4 or not all(numbers) or int(fields[1]) >= int(fields[2]):
                raise InputError(
                    f"{regions}: line {number} is not chromosome, start, end (after the start) and "
                    f"name, separated by tabs: {line.strip()[:60]!r}. Give a BED file in "
                    f"`{REGIONS_KEY}`."
                )
            strand = fields[5] if len(fields) > 5 else "."
            if fields[3] in rows:
                raise InputError(
                    f"{regions}: line {number} gives a second place to {fields[3]!r}. A sequence "
                    f"has one: take one of the lines out of `{REGIONS_KEY}`."
                )
            rows[fields[3]] = fields[0], int(fields[1]), int(fields[2]), strand
    absent = [name for name in names if name not in rows]
    if absent:
        raise InputError(
            f"{regions}: {len(absent)} of the {len(names)} sequences of {fasta} are not in its "
            f"fourth column ({examples(absent)}). Add them, or leave `{REGIONS_KEY}` out."
        )
    chroms, starts, ends, strands = zip(*(rows[name] for name in names), strict=True)
    return _var(names, chroms, starts, ends, strands)


def _var(
    names: Sequence[str],
    chrom: Sequence[str],
    start: Sequence[int],
    end: Sequence[int],
    strand: Sequence[str],
) -> pd.DataFrame:
    columns = {"gene_name": names, "chrom": chrom, "start": start, "end": end, "strand": strand}
    return pd.DataFrame(columns, index=pd.Index(names, name="sequence"))


def _target_labels(
    labels: str | Path | None, cell_type: str, targets: pd.Index, table: str | Path
) -> pd.DataFrame:
    """Read what is known of the targets; their cell type becomes the column ``cell_type``."""
    names = targets.astype(str)
    if labels is None:
        return pd.DataFrame({"cell_type": names}, index=names)
    obs, problems = _read_tsv(labels, LABELS_KEY), Problems()
    _check_unique(problems, obs.index, labels, "target")
    problems.raise_if_any()
    absent = names.difference(obs.index)
    if len(absent):
        raise InputError(
            f"{labels}: {len(absent)} of the {len(names)} targets of {table} are not in its "
            f"first column ({examples(absent)}). The first column names the targets as the "
            "header of that table does."
        )
    if cell_type not in obs:
        raise InputError(
            f"{labels}: there is no column `{cell_type}`, only {examples(obs.columns, 10)}."
            f"{nearest(cell_type, obs.columns)} Name the column of cell types in `{CELL_TYPE_KEY}`."
        )
    return obs.loc[names].assign(cell_type=obs.loc[names, cell_type])
