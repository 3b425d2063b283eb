"""What a transcription factor's motif does in each cell: motifs put into shuffled sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from cisgrammar.controls import shuffle_dinucleotides
from cisgrammar.evaluation import pearson
from cisgrammar.models.scbasset import Scbasset
from cisgrammar.models.scbasset_changes import ChangedSequences
from cisgrammar.motifs.meme import Motif
from cisgrammar.seeds import derive_seed

BACKGROUNDS_AT_ONCE = 100
CELLS_AT_ONCE = 16_384


def insertion_effects(
    model: Scbasset,
    codes: np.ndarray,
    motifs: Sequence[Motif],
    *,
    n_backgrounds: int = 1000,
    of_logits: bool = False,
    seed: int,
) -> np.ndarray:
    """Put motifs into shuffled peaks, and average what that does to each cell's accessibility.

    Parameters
    ----------
    model
        A trained model.
    codes
        Peaks from which backgrounds are drawn, uint8 ``(peaks, length)``.
    motifs
        None wider than the sequences.
    n_backgrounds
        Shuffled peaks, at most as many as there are peaks.
    of_logits
        Take differences of logits; as published, of accessibility, which moves little in cells
        where a background is nearly closed or open already.
    seed
        Of the draws of peaks, of their shuffles, and of sites.

    Returns
    -------
    Mean difference in accessibility (or logits), float32 ``(cells, motifs)``.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "Motif insertion": dinucleotide-shuffled peaks, sites drawn from
    the motif's probabilities and put into the middle, accessibility without intercept. A site is
    drawn for each background, so that no motif depends on one lucky draw. Backgrounds' layers are
    computed once for all motifs; of a changed sequence only the positions that a site reaches.
    """
    rng = np.random.default_rng(derive_seed(seed, "backgrounds"))
    chosen = np.sort(rng.choice(len(codes), min(n_backgrounds, len(codes)), replace=False))
    backgrounds = torch.from_numpy(shuffle_dinucleotides(codes[chosen], seed))
    weight = model.head.weight.detach()
    total = np.zeros((len(motifs), len(weight)))
    for block in tqdm(backgrounds.split(BACKGROUNDS_AT_ONCE), desc="backgrounds", mininterval=1):
        changed = ChangedSequences(model, block)
        before = _sum_over(changed.embed(), weight, of_logits)
        rows = torch.arange(len(block))
        for number, motif in enumerate(motifs):
            sites = draw_from(motif.matrix, len(block), rng)
            starts = torch.full((len(block),), (codes.shape[1] - motif.width) // 2)
            embedding = changed.embed_changed(rows, starts, torch.from_numpy(sites))
            total[number] += _sum_over(embedding, weight, of_logits) - before
    return (total.T / len(backgrounds)).astype(np.float32)


def draw_from(ppm: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw sites from probabilities ``(4, width)``: codes, uint8 ``(n, width)``."""
    bounds = np.cumsum(ppm, axis=0)[:3]
    return (rng.random((n, 1, ppm.shape[1])) > bounds).sum(axis=1).astype(np.uint8)


@torch.no_grad()
def _sum_over(embedding: Tensor, weight: Tensor, of_logits: bool) -> np.ndarray:
    """Sum h w, or sigmoid(h w), over sequences, for each cell: float64 ``(cells,)``."""
    if of_logits:
        return (embedding.double().sum(dim=0) @ weight.T.double()).cpu().numpy()
    blocks = weight.split(CELLS_AT_ONCE)
    sums = [torch.sigmoid(embedding @ block.T).double().sum(dim=0) for block in blocks]
    return torch.cat(sums).cpu().numpy()


def standardise(effects: np.ndarray) -> np.ndarray:
    """Turn effects ``(cells, motifs)`` into z-scores over cells; 0 for a motif without spread."""
    spread = effects.std(axis=0)
    return (effects - effects.mean(axis=0)) / np.where(spread > 0, spread, 1)


def activity_against(
    activity: np.ndarray, reference: np.ndarray, names: Sequence[str]
) -> pd.DataFrame:
    """Correlate activity with something else of the same cells, motif by motif.

    Parameters
    ----------
    activity, reference
        ``(cells, motifs)``; the latter is expression of the TFs, or a planted activity.
    names
        Of the motifs.

    Returns
    -------
    Columns motif, r; NaN where either does not vary.
    """
    return pd.DataFrame({"motif": list(names), "r": pearson(activity, reference, axis=0)})
