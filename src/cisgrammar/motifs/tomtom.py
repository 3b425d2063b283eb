"""Which known motifs a motif resembles: Tomtom's comparison, p-values and q-values."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import memelite
import numpy as np
import pandas as pd

from cisgrammar.common.progress import progress
from cisgrammar.common.seeds import derive_seed
from cisgrammar.motifs.alignments import SCORE_BINS, best_alignments
from cisgrammar.motifs.meme import Motif, most_probable, reverse_complement, with_pseudocounts

COLUMNS = [
    *("Query_ID", "Target_ID", "Optimal_offset", "p-value", "E-value", "q-value"),
    *("Overlap", "Query_consensus", "Target_consensus", "Orientation"),
]
FEW_TARGETS = 50  # below this Tomtom's null distribution is poor
N_MEDIAN_BINS = 10_000  # memelite's 1,000 move a column's scores by up to a bin
BLOCK = 256  # queries at a time: bounds the memory to some 100 MB per 1,000 targets

# MEME's settings for the share of true nulls.
_LAMBDAS = np.arange(1, 101) / 100 * 0.5
_BOOTSTRAP_SAMPLES = 1000
_MIN_P_VALUES = 100

# Of few motifs, a threshold that one shuffled motif more or less decides would be a throw of dice.
_SHUFFLED_TO_MATCH = 10
_MOST_SHUFFLED = 10_000
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Block:
    """A block of queries against forward and reverse targets: ``(queries, 2, targets)``."""

    first: int
    p: np.ndarray
    q: np.ndarray


def compare(
    queries: Sequence[Motif],
    targets: Sequence[Motif],
    threshold: float = 0.05,
    n_threads: int | None = None,
) -> pd.DataFrame:
    """Align motifs to known motifs as MEME's Tomtom does.

    Parameters
    ----------
    queries
        Motifs to explain.
    targets
        Motifs of a database.
    threshold
        Largest q-value to report.
    n_threads
        Threads to use; what numba is set to by default. The result does not depend on it.

    Returns
    -------
    The columns of Tomtom's TSV, one row per query and target that match, in the
    order of the queries and then in MEME's: by p-value, longer overlaps first,
    forward first, by name. A positive ``Optimal_offset`` shifts the query right
    along the target; ``Target_consensus`` is on the strand of ``Orientation``;
    a consensus spells the most probable bases.

    Notes
    -----
    Gupta et al. (2007) and Tanaka et al. (2011), complete scores of Euclidean
    distances between columns with MEME's pseudocounts. The p-value is that of the
    best offset in either orientation; the E-value multiplies it by the number of
    targets; q-values are MEME's, see :func:`q_values`, per query over both
    orientations of every target.
    """
    query, target, p, q = _hits(_blocks(queries, targets, n_threads), threshold)
    smooth = [with_pseudocounts(m) for m in queries], [with_pseudocounts(m) for m in targets]
    offset, overlap = best_alignments(*smooth, query, target, n_threads)
    reverse = (p[1] < p[0]) | ((p[1] == p[0]) & (overlap[1] > overlap[0]))
    strand = reverse.astype(int), np.arange(len(query))
    table = pd.DataFrame(
        {
            "query": query,
            "target": target,
            "Optimal_offset": offset[strand],
            "p-value": p[strand],
            "q-value": q[strand],
            "Overlap": overlap[strand],
            "reverse": reverse,
        }
    )
    logger.info(
        "%d of %d motifs match one of %d targets at q <= %g",
        *(table["query"].nunique(), len(queries), len(targets), threshold),
    )
    return _as_tomtom(table, queries, targets)


def _hits(blocks: Iterator[_Block], threshold: float) -> tuple[np.ndarray, ...]:
    """Gather numbers of queries and targets that match, and p and q in both orientations."""
    found = [(np.empty(0, int), np.empty(0, int), np.empty((2, 0)), np.empty((2, 0)))]
    for block in blocks:
        query, target = np.nonzero(block.q.min(axis=1) <= threshold)
        p, q = block.p[query, :, target].T, block.q[query, :, target].T
        found.append((query + block.first, target, p, q))
    return tuple(np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True))


def _as_tomtom(
    table: pd.DataFrame, queries: Sequence[Motif], targets: Sequence[Motif]
) -> pd.DataFrame:
    """Order the hits, and replace the numbers of motifs with their names and consensuses."""
    table["Query_ID"] = _column([m.name for m in queries], table["query"])
    table["Target_ID"] = _column([m.name for m in targets], table["target"])
    table = table.sort_values(
        ["query", "p-value", "Overlap", "reverse", "Target_ID"],
        ascending=[True, True, False, True, True],
        ignore_index=True,
    )
    forward = [most_probable(m.matrix) for m in targets]
    backward = [most_probable(reverse_complement(m.matrix)) for m in targets]
    table["E-value"] = table["p-value"] * len(targets)
    table["Query_consensus"] = _column([most_probable(m.matrix) for m in queries], table["query"])
    table["Target_consensus"] = np.where(
        table["reverse"], _column(backward, table["target"]), _column(forward, table["target"])
    )
    table["Orientation"] = np.where(table["reverse"], "-", "+")
    return table[COLUMNS]


def _column(words: list[str], numbers: pd.Series) -> np.ndarray:
    return np.array(words, dtype=object)[numbers.to_numpy(dtype=int)]


def best_q_values(
    queries: Sequence[Motif], targets: Sequence[Motif], n_threads: int | None = None
) -> np.ndarray:
    """Lowest q-value of each query over all targets: ``(queries,)``."""
    best = [block.q.min(axis=(1, 2)) for block in _blocks(queries, targets, n_threads)]
    return np.concatenate(best) if best else np.empty(0)


def best_p_values(
    queries: Sequence[Motif], targets: Sequence[Motif], n_threads: int | None = None
) -> np.ndarray:
    """Every p-value, best offset and orientation of each pair: ``(queries, targets)``."""
    blocks = [block.p.min(axis=1) for block in _blocks(queries, targets, n_threads)]
    return np.concatenate(blocks) if blocks else np.empty((0, len(targets)))


def _blocks(
    queries: Sequence[Motif], targets: Sequence[Motif], n_threads: int | None
) -> Iterator[_Block]:
    if not queries or not targets:
        return
    if len(targets) < FEW_TARGETS:
        logger.warning(
            "only %d targets: their columns are the null distribution of Tomtom's p-values, "
            "which are rough with fewer than %d",
            *(len(targets), FEW_TARGETS),
        )
    forward = [with_pseudocounts(m) for m in targets]
    both = forward + [np.ascontiguousarray(reverse_complement(m)) for m in forward]
    for first in progress(range(0, len(queries), BLOCK), "blocks of motifs"):
        matrices = [with_pseudocounts(m) for m in queries[first : first + BLOCK]]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="tomtom was given")  # said above
            p, *_ = memelite.tomtom(
                matrices,
                both,
                reverse_complement=False,
                n_score_bins=SCORE_BINS,
                n_median_bins=N_MEDIAN_BINS,
                n_target_bins=None,
                n_jobs=n_threads or -1,
            )
        # Of one orientation so far; MEME's null is the best over both.
        p = np.clip(p, 0, 1)
        p = p * (2 - p)
        shape = len(matrices), 2, len(targets)
        yield _Block(first, p.reshape(shape), q_values(p).reshape(shape))


def pi_zero(p: np.ndarray) -> np.ndarray:
    """Estimate the share of true null hypotheses in each row of p-values.

    Parameters
    ----------
    p
        p-values ``(rows, n)``.

    Returns
    -------
    Shares ``(rows,)`` in 0..1; 1 with 100 p-values or fewer.

    Notes
    -----
    Storey (2002), algorithm 3, with MEME's settings: of 100 cut-offs up to 0.5,
    the one whose bootstrapped estimates are nearest, in mean square, to the
    lowest estimate of all. MEME draws 100 bootstrap samples of 1,000 p-values;
    their number above a cut-off is binomial, so the mean square is taken here
    as it would be of infinitely many, without random numbers.
    """
    n_rows, n = p.shape
    if n <= _MIN_P_VALUES:
        return np.ones(n_rows)
    above = np.stack([(p >= cut).mean(axis=1) for cut in _LAMBDAS], axis=1)
    estimate = above / (1 - _LAMBDAS)
    estimate[above == 0] = np.finfo(float).max ** 0.25  # MEME: no estimate; huge, not infinite
    lowest = estimate.min(axis=1, keepdims=True)
    variance = above * (1 - above) / (_BOOTSTRAP_SAMPLES * (1 - _LAMBDAS) ** 2)
    best = (variance + (estimate - lowest) ** 2).argmin(axis=1)
    return np.minimum(estimate[np.arange(n_rows), best], 1)


def q_values(p: np.ndarray) -> np.ndarray:
    """Turn each row of p-values into MEME's q-values.

    Parameters
    ----------
    p
        p-values ``(rows, n)``.

    Returns
    -------
    q-values, same shape: the lowest share of false discoveries,
    ``pi_zero * p * n / rank``, of any cut-off that lets the p-value in.

    Notes
    -----
    Benjamini & Hochberg (1995) with Storey's share of true nulls.
    """
    n = p.shape[1]
    order = np.argsort(p, axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=1)
    ranked *= pi_zero(p)[:, None] * n / np.arange(1, n + 1)
    ranked = np.minimum.accumulate(np.minimum(ranked, 1)[:, ::-1], axis=1)[:, ::-1]
    q = np.empty_like(p)
    np.put_along_axis(q, order, ranked, axis=1)
    return q


def shuffle_columns(motifs: Sequence[Motif], seed: int) -> list[Motif]:
    """Put each motif's positions in random order: same columns, no sense.

    Parameters
    ----------
    motifs
        In any order: a motif's shuffle depends on the seed and its name only.
    seed
        The config's seed.
    """
    shuffled = []
    for motif in motifs:
        rng = np.random.default_rng(derive_seed(seed, "shuffle columns", motif.name))
        columns = rng.permutation(motif.width)
        shuffled.append(Motif(motif.name, motif.matrix[:, columns], motif.n_sites, motif.alt))
    return shuffled


def calibrated_threshold(null_q: np.ndarray, rate: float = 0.05) -> float:
    """Find the q-value at which meaningless motifs match at a given rate.

    Parameters
    ----------
    null_q
        Best q-value of each meaningless motif: ``(motifs,)``.
    rate
        Share of them that may match, 0..1.

    Returns
    -------
    The largest q-value at which no more than that share match (0 if there is none).

    Examples
    --------
    >>> calibrated_threshold(np.array([0.001, 0.02, 0.3, 1.0]), rate=0.25)
    0.001
    """
    allowed = int(np.floor(rate * len(null_q) + 1e-9))
    ranked = np.sort(null_q)
    if allowed == len(ranked):
        return float(ranked[-1]) if len(ranked) else 0.0
    below = ranked[:allowed][ranked[:allowed] < ranked[allowed]]
    return float(below[-1]) if below.size else 0.0


def shuffled_matches(
    queries: Sequence[Motif],
    targets: Sequence[Motif],
    threshold: float = 0.05,
    rate: float = 0.05,
    seed: int = 0,
    n_threads: int | None = None,
) -> pd.DataFrame:
    """Count how many meaningless motifs match at the same threshold.

    Parameters
    ----------
    queries, targets, threshold, n_threads
        As for :func:`compare`.
    rate
        Share of shuffled motifs that the calibrated threshold lets through.
    seed
        The config's seed.

    Returns
    -------
    Two rows, ``as configured`` and ``calibrated``: threshold (q-value), motifs,
    matching, share_matching, shuffled (motifs whose columns were shuffled),
    shuffled_matching, share_shuffled_matching.

    Notes
    -----
    Each motif is shuffled once; few motifs are several times, so that some of the
    shuffled may match at the rate.
    """
    real = best_q_values(queries, targets, n_threads)
    shuffled = _shuffled_often(queries, _n_rounds(len(queries), rate), seed)
    null = best_q_values(shuffled, targets, n_threads)
    calibrated = calibrated_threshold(null, rate)
    thresholds = np.array([threshold, calibrated])
    matching = (real[:, None] <= thresholds).sum(axis=0)
    shuffled_matching = (null[:, None] <= thresholds).sum(axis=0)
    if len(null) and calibrated == 0:
        logger.warning(
            "more than a share of %g of %d column-shuffled motifs match as well as any can: "
            "no match counts. Raise `alignment.shuffled_rate`.",
            *(rate, len(null)),
        )
    return pd.DataFrame(
        {
            "which": ["as configured", "calibrated"],
            "threshold": thresholds,
            "motifs": len(queries),
            "matching": matching,
            "share_matching": matching / max(len(queries), 1),
            "shuffled": len(null),
            "shuffled_matching": shuffled_matching,
            "share_shuffled_matching": shuffled_matching / max(len(null), 1),
        }
    )


def _n_rounds(n_motifs: int, rate: float) -> int:
    """Find how often to shuffle each motif for several of the shuffled to match at the rate."""
    wanted = min(_SHUFFLED_TO_MATCH / rate, _MOST_SHUFFLED)
    return int(np.ceil(max(wanted / max(n_motifs, 1), 1)))


def _shuffled_often(motifs: Sequence[Motif], n_rounds: int, seed: int) -> list[Motif]:
    shuffled = shuffle_columns(motifs, seed)
    for i in range(1, n_rounds):
        shuffled += shuffle_columns(motifs, derive_seed(seed, "shuffle again", i))
    return shuffled


def called_matches(hits: pd.DataFrame, calibration: pd.DataFrame) -> pd.DataFrame:
    """Keep the matches of the stricter threshold, the configured or the calibrated one.

    Parameters
    ----------
    hits
        Of :func:`compare`.
    calibration
        Of :func:`shuffled_matches`.
    """
    threshold = calibration["threshold"].min()
    called = hits[hits["q-value"] <= threshold].reset_index(drop=True)
    logger.info(
        "%d of %d motifs that match do so at q <= %g",
        *(called["Query_ID"].nunique(), hits["Query_ID"].nunique(), threshold),
    )
    return called
