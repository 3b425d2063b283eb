"""The sequences of peaks: windows of one length, N where they reach beyond a chromosome."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.genome.regions import sequence_codes
from cisgrammar.genome.sequence import N

logger = logging.getLogger(__name__)


def padded_codes(
    windows: pd.DataFrame, chrom_sizes: Mapping[str, int], fasta: str | Path, work: str | Path
) -> tuple[np.ndarray, int]:
    """Read sequences of windows; N stands for what lies beyond a chromosome's end.

    Parameters
    ----------
    windows
        From :func:`cisgrammar.genome.windows.centred_windows`.
    chrom_sizes
        Length of each chromosome of the FASTA.
    fasta, work
        As in :func:`cisgrammar.genome.regions.sequence_codes`.

    Returns
    -------
    codes
        uint8 ``(windows, length)``.
    n_padded
        How many windows reach beyond an end.

    Raises
    ------
    InputError
        If the middle of a peak is not in the FASTA.
    """
    size = windows["chrom"].astype(str).map(chrom_sizes).fillna(-1).to_numpy()
    start, end = windows["start"].to_numpy(), windows["end"].to_numpy()
    absent = (start + end) // 2 >= size
    if absent.any():
        first = windows[absent].iloc[0]
        raise InputError(
            f"{fasta}: the middle of {absent.sum():,} of {len(windows):,} peaks is not in it, the "
            f"first around {first['chrom']}:{(first['start'] + first['end']) // 2:,}. The peaks "
            "are of another assembly, or chromosomes have other names there. Give the FASTA that "
            "reads were aligned to."
        )
    cut = (start < 0) | (end > size)
    codes = np.full((len(windows), int(end[0] - start[0])), N, dtype=np.uint8)
    codes[~cut] = sequence_codes(windows[~cut], fasta, work)[0] if (~cut).any() else N
    for row in np.flatnonzero(cut):
        inside = windows.iloc[[row]].assign(start=max(start[row], 0), end=min(end[row], size[row]))
        known = sequence_codes(inside, fasta, work)[0][0]
        first = max(-start[row], 0)
        codes[row, first : first + len(known)] = known
    if cut.any():
        logger.info(
            "%d of %d windows reach beyond the end of a chromosome; N is put there",
            cut.sum(), len(windows),
        )  # fmt: skip
    return codes, int(cut.sum())
