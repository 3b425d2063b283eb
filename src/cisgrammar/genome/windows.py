"""Windows of one length, apart from what reads their sequences."""

from __future__ import annotations

import pandas as pd


def centred_windows(peaks: pd.DataFrame, length: int) -> pd.DataFrame:
    """Put a window of one length on the middle of each peak; it may reach beyond the chromosome.

    Parameters
    ----------
    peaks
        chrom, start, end, and what else there is.
    length
        In bases.
    """
    start = (peaks["start"] + peaks["end"]) // 2 - length // 2
    return peaks.assign(start=start, end=start + length, strand="+")
