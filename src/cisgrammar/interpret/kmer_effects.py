"""What each k-mer of a regression does, by place in the window and cell type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from cisgrammar.data.features import kmers
from cisgrammar.genome.sequence import BASES
from cisgrammar.models.abilities import HasKmers
from cisgrammar.models.kmer_features import KmerFeatures
from cisgrammar.motifs.meme import Motif
from cisgrammar.motifs.tomtom import compare

KEYS = ["part", "kmer", "strands", "start", "end"]
LEVELS, DIFFERENCES = "levels", "differences"


def kmer_effects(model: HasKmers, codes: np.ndarray, cell_types: Sequence[str]) -> pd.DataFrame:
    """Say how far a regression moves when a k-mer's log count rises by one standard deviation.

    Parameters
    ----------
    model
        With the ability ``kmers``.
    codes
        Sequences that say how counts vary, uint8 ``(n, length)``.
    cell_types
        Of each target; effects are averaged over the targets of a type.

    Returns
    -------
    One row for each k-mer and stretch: part (``levels`` of sequences, the same in all cell types,
    or ``differences`` between them, 0 on average), kmer, strands (forward or both), start and end
    of the stretch in bases from the window's start, then a column for each cell type, in the
    order of the text, in units of the targets.
    """
    tables = []
    for part, regression in model.kmer_regressions().items():
        features = regression.features
        effects = regression.coefficients.cpu().numpy().astype(np.float64)
        effects = effects * _spread(features.of(codes))[:, None]
        if part == DIFFERENCES:
            effects -= effects.mean(axis=1, keepdims=True)
        effects = np.broadcast_to(effects, (len(effects), len(cell_types)))
        by_type = pd.DataFrame(effects.T).groupby(list(map(str, cell_types))).mean().T
        tables.append(pd.concat([_names(features, codes.shape[1], part), by_type], axis=1))
    return pd.concat(tables, ignore_index=True)


def _spread(counts: sparse.csr_matrix) -> np.ndarray:
    """Give the standard deviation of each column, float64."""
    counts = counts.astype(np.float64)
    mean = np.asarray(counts.mean(axis=0)).ravel()
    squares = np.asarray(counts.power(2).mean(axis=0)).ravel()
    return np.sqrt(np.clip(squares - mean**2, 0, None))


def _names(features: KmerFeatures, length: int, part: str) -> pd.DataFrame:
    strands = "both" if features.both_strands else "forward"
    rows = [
        (part, word, strands, -(-stretch * length // bins), -(-(stretch + 1) * length // bins))
        for k, bins in features.blocks
        for stretch in range(bins)
        for word in kmers(k, features.both_strands)
    ]
    return pd.DataFrame(rows, columns=KEYS)


def average_over_folds(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average the folds' effects; a k-mer that a fold does not count has none there.

    Parameters
    ----------
    tables
        Of :func:`kmer_effects`, one for each fold.

    Returns
    -------
    The same columns after ``folds``, the share of folds that count the k-mer, and ``strength``,
    the root mean square of the effects; the strongest first.
    """
    together = pd.concat(tables).groupby(KEYS, sort=False)
    cell_types = tables[0].columns.drop(KEYS)
    means = together[list(cell_types)].sum() / len(tables)
    strength = np.sqrt((means**2).mean(axis=1))
    means.insert(0, "folds", together.size() / len(tables))
    means.insert(1, "strength", strength)
    return means.sort_values("strength", ascending=False, kind="stable").reset_index()


def nearest_motifs(words: Sequence[str], known: Sequence[Motif]) -> pd.DataFrame:
    """Find the known motif that each k-mer resembles most.

    Parameters
    ----------
    words
        K-mers.
    known
        Motifs of a database.

    Returns
    -------
    Index the k-mers; ``motif``, ``tf`` (its second name, as a rule the factor) and ``motif_p``,
    Tomtom's p-value of this one comparison: of many motifs one may well resemble a short word by
    chance.
    """
    queries = [Motif(word, np.eye(4)[[BASES.index(base) for base in word]].T) for word in words]
    hits = compare(queries, known, threshold=1).groupby("Query_ID", sort=False).first()
    nearest = hits[["Target_ID", "p-value"]].set_axis(["motif", "motif_p"], axis=1)
    nearest.insert(1, "tf", nearest["motif"].map({motif.name: motif.alt for motif in known}))
    return nearest.reindex(words)
