"""What each base of a sequence is worth: every mutation in silico, per cell type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.stats import false_discovery_control

from cisgrammar.evaluation import pearson
from cisgrammar.models.scbasset import Scbasset
from cisgrammar.models.scbasset_changes import ChangedSequences
from cisgrammar.motifs.fimo import hits
from cisgrammar.motifs.meme import Motif
from cisgrammar.sequence import N

MUTATIONS_AT_ONCE = 768


def mutate(
    model: Scbasset,
    codes: np.ndarray,
    groups: Sequence[str],
    first: int = 0,
    end: int | None = None,
) -> tuple[np.ndarray, list[str]]:
    """Predict what every mutation of a sequence does, on average over groups of cells.

    Parameters
    ----------
    model
        A trained model.
    codes
        The sequence as the model reads it, uint8 ``(length,)``.
    groups
        Each cell's group, as a rule its type.
    first, end
        The positions that are mutated, from ``first`` up to and without ``end``.

    Returns
    -------
    effects
        Change of the logit, 0 for the base that stands there: float32
        ``(groups, 4, positions)``, rows A, C, G, T. At an N all are 0.
    names
        Of the groups, sorted.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "In silico saturation mutagenesis": (h_mutated - h) w. The
    average over cells is taken of the weights, which is the same.
    """
    end = len(codes) if end is None else end
    names, number = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    weight = model.head.weight.detach().cpu().double().numpy()
    mean = np.stack([weight[number == i].mean(axis=0) for i in range(len(names))])
    here = codes[first:end].astype(np.int64)
    base, position = np.nonzero((np.arange(4)[:, None] != here) & (here != N))
    changed = ChangedSequences(model, torch.from_numpy(codes[None]))
    reference = changed.embed().cpu().double().numpy()
    effects = np.zeros((len(names), 4, end - first), dtype=np.float32)
    for start in range(0, len(base), MUTATIONS_AT_ONCE):
        b, p = (part[start : start + MUTATIONS_AT_ONCE] for part in (base, position))
        embedding = changed.embed_changed(
            torch.zeros(len(b), dtype=torch.int64),
            torch.from_numpy(p + first),
            torch.from_numpy(b.astype(np.uint8)[:, None]),
        )
        effects[:, b, p] = mean @ (embedding.cpu().double().numpy() - reference).T
    return effects, names.tolist()


def importance(effects: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Read off what the base that stands there is worth against the average base.

    Parameters
    ----------
    effects
        From :func:`mutate`: ``(groups, 4, positions)``.
    codes
        The bases at these positions, uint8 ``(positions,)``.

    Returns
    -------
    ``(groups, positions)``; positive where the base opens the peak, 0 at an N.
    """
    centred = effects - effects.mean(axis=1, keepdims=True)
    known = np.minimum(codes, 3).astype(np.int64)
    return np.where(codes == N, 0, centred[:, known, np.arange(len(codes))])


def label_motifs(
    scores: np.ndarray,
    codes: np.ndarray,
    motifs: Sequence[Motif],
    *,
    threshold: float = 1e-3,
    n_shuffles: int = 1000,
    seed: int,
) -> pd.DataFrame:
    """Find the motifs whose shape importance has.

    Parameters
    ----------
    scores
        Importance of one group: ``(positions,)``.
    codes
        The bases there, uint8 ``(positions,)``.
    motifs
        To look for.
    threshold
        FIMO's largest p-value of a hit; permissive, as published.
    n_shuffles
        Shuffles of the positions for the null.
    seed
        Of the shuffles.

    Returns
    -------
    motif, alt, start (0-based), end, strand, fimo_p, r, p, q: ``r`` is Pearson's of importance
    and the probabilities of the bases that stand in the hit; ``p`` the share of shuffled
    importances of the region with an ``r`` at least as high; ``q`` by Benjamini and Hochberg.
    Best first.

    Notes
    -----
    Yuan & Kelley (2022), Methods, last paragraph of "In silico saturation mutagenesis".
    """
    found = hits(codes[None], ["region"], motifs, threshold)
    matrices = {motif.name: motif.matrix for motif in motifs}
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(scores, (n_shuffles, 1)), axis=1)
    rows = []
    for hit in found.to_dict("records"):
        start, end = hit["start"] - 1, hit["stop"]
        matrix = matrices[hit["motif_id"]]
        matrix = matrix if hit["strand"] == "+" else matrix[::-1, ::-1]
        bases = np.minimum(codes[start:end], 3).astype(np.int64)
        expected = matrix[bases, np.arange(end - start)]
        r = float(pearson(scores[start:end], expected))
        null = pearson(shuffled[:, start:end], np.tile(expected, (n_shuffles, 1)), axis=1)
        p = (1 + (null >= r).sum()) / (1 + n_shuffles) if np.isfinite(r) else np.nan
        rows.append(
            {
                "motif": hit["motif_id"], "alt": hit["motif_alt_id"], "start": start, "end": end,
                "strand": hit["strand"], "fimo_p": hit["p-value"], "r": r, "p": p,
            }
        )  # fmt: skip
    columns = ["motif", "alt", "start", "end", "strand", "fimo_p", "r", "p", "q"]
    table = pd.DataFrame(rows, columns=columns).sort_values(["p", "r"], ascending=[True, False])
    known = table["p"].notna()
    table.loc[known, "q"] = false_discovery_control(table.loc[known, "p"].astype(float))
    return table.reset_index(drop=True)
