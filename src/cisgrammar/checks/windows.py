"""Checks of what a model will read: bedtools, and the sequences of the windows."""

from __future__ import annotations

import pandas as pd

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import InputFiles, PeakSettings, Settings
from cisgrammar.common.errors import InputError
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.gene_match import genes_of_counts
from cisgrammar.genome.peaks import define_peaks, place
from cisgrammar.genome.regions import (
    given_regions,
    promoters,
    read_bed,
    require_bedtools,
    sequence_codes,
)

FEW_SEQUENCES = 2000


def check_bedtools(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that bedtools is there."""
    found.attempt(require_bedtools)


def check_windows(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Report the windows and their sequences, where nothing is wrong so far."""
    if not found.problems.messages:
        found.sequences = found.attempt(_known_windows, files, settings, found)


def _known_windows(files: InputFiles, settings: Settings, found: Findings) -> pd.DataFrame:
    """Report windows, and give those whose sequence is known."""
    if settings.peaks is not None:
        what, (windows, counts) = "windows", _peak_windows(files, settings, settings.peaks, found)
    elif files.regions:
        what, (windows, counts) = "windows", _given_windows(files, settings, found)
    else:
        what, (windows, counts) = "promoters", _promoter_windows(settings, found)
    _, known = sequence_codes(windows, files.fasta, files.work)
    steps = [f"{step}: {n:,}" for step, n in counts.itertuples(index=False) if n]
    steps.append(f"dropped: N in the sequence: {(~known).sum():,}")
    few = known.sum() < counts.iloc[0, 1] / 2
    if few_in_all := known.sum() < FEW_SEQUENCES:
        steps.append(f"a model learns little from fewer than {FEW_SEQUENCES:,}")
    found.add("sequences", f"{known.sum():,} {what}", "; ".join(steps), bool(few or few_in_all))
    if not known.any():
        raise InputError(
            f"{files.fasta}: all of {len(known)} windows hold N. The FASTA is probably masked "
            "with N: use the unmasked or the soft-masked (lower-case) genome."
        )
    return windows[known]


def _peak_windows(
    files: InputFiles, settings: Settings, peaks: PeakSettings, found: Findings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    targets, sizes = _read(found)
    alone = settings.counts.modality == "atac"
    where = ", ".join(map(str, files.of_counts if alone else files.of_peaks))
    blacklist = files.blacklist
    return define_peaks(
        place(targets.unique(), where, files.peak_bed)[0],
        sizes,
        length=peaks.length,
        tss=None if peaks.distal is None else found.tss,
        **(peaks.distal or {}),
        blacklist=None if blacklist is None else read_bed(blacklist, "peaks.blacklist"),
        chromosomes=settings.genome.chromosomes,
    )


def _given_windows(
    files: InputFiles, settings: Settings, found: Findings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    targets, sizes = _read(found)
    assert files.regions is not None
    return given_regions(files.regions, targets.unique(), sizes, settings.genome.chromosomes)


def _promoter_windows(settings: Settings, found: Findings) -> tuple[pd.DataFrame, pd.DataFrame]:
    targets, sizes = _read(found)
    assert found.tss is not None
    around, style = settings.windows, settings.genome.chromosomes
    mapping = match_chromosomes(found.tss["chrom"], sizes, style)
    matched, _ = genes_of_counts(targets.unique(), found.tss, mapping)
    return promoters(matched, sizes, around.upstream, around.downstream, style)


def _read(found: Findings) -> tuple[pd.Index, dict[str, int]]:
    """Give the targets' names and the chromosomes' sizes."""
    assert found.targets is not None and found.sizes is not None  # else there were problems
    return found.targets, found.sizes
