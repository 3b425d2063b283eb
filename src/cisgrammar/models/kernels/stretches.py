"""Where along a sequence the bins of `conv_maxpool` lie."""

from __future__ import annotations

import numpy as np


def stretches(n_windows: int, bins: int) -> np.ndarray:
    """Divide the windows of a sequence into bins.

    Parameters
    ----------
    n_windows
        Places where a filter can start: length - width + 1.
    bins
        How many stretches, at most ``n_windows``.

    Returns
    -------
    First window of each bin and the one after its last: integers ``(bins, 2)``.

    Notes
    -----
    As torch's adaptive pooling: bin k holds the windows from ``floor(k * n / bins)`` to
    ``ceil((k + 1) * n / bins)``. Where bins do not divide the windows, neighbours share one. So
    all bins are of one size or of two that differ by one, and read from the other strand they
    are the same stretches in reverse order.

    Examples
    --------
    >>> stretches(6, 3).tolist()
    [[0, 2], [2, 4], [4, 6]]
    >>> stretches(5, 2).tolist()
    [[0, 3], [2, 5]]
    """
    k = np.arange(bins)
    return np.stack([k * n_windows // bins, -(-(k + 1) * n_windows // bins)], axis=1)
