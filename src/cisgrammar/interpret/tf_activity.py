"""What a transcription factor's motif does in each cell: motifs put into shuffled sequences."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy import sparse, stats
from torch import Tensor

from cisgrammar.common.progress import progress
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.statistics import MIN_OBSERVATIONS, benjamini_hochberg, pearson
from cisgrammar.genome.shuffling import shuffle_dinucleotides
from cisgrammar.interpret.regulators import NO_TFS, NOT_EXPRESSED, NOT_MEASURED, match_genes
from cisgrammar.models.abilities import Inserts
from cisgrammar.motifs.databases import SEPARATOR, Database, keep_motifs
from cisgrammar.motifs.meme import Motif

BACKGROUNDS_AT_ONCE = 100
MOTIFS_AT_ONCE = 8  # of one width, in the same backgrounds
CELLS_AT_ONCE = 16_384
PAIRS_AT_ONCE = 64
logger = logging.getLogger(__name__)


def insertion_effects(
    model: Inserts,
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
        Of the draws of peaks, of their shuffles, and, with a motif's name, of its sites: a motif
        gets the same sites whichever others are asked for.

    Returns
    -------
    Mean difference in accessibility (or logits), float32 ``(cells, motifs)``.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "Motif insertion": dinucleotide-shuffled peaks, sites drawn from
    the motif's probabilities and put into the middle, accessibility without intercept. A site is
    drawn for each background, so that no motif depends on one lucky draw. Backgrounds' layers are
    computed once for all motifs; of a changed sequence only the positions that a site reaches.
    Logits are linear in what describes a sequence, so that is averaged before cells come in.
    """
    rng = np.random.default_rng(derive_seed(seed, "backgrounds"))
    chosen = np.sort(rng.choice(len(codes), min(n_backgrounds, len(codes)), replace=False))
    backgrounds = torch.from_numpy(shuffle_dinucleotides(codes[chosen], seed))
    sites = [_sites_of(motif, len(chosen), seed) for motif in motifs]
    weight = model.head.weight.detach()
    total = np.zeros((len(motifs), weight.shape[1] if of_logits else len(weight)))
    together = _by_width(motifs)
    for rows in progress(
        torch.arange(len(chosen)).split(BACKGROUNDS_AT_ONCE), "parts of the backgrounds"
    ):
        changed = model.changed_sequences(backgrounds[rows])
        before = _sum_over(changed.embed(), weight, of_logits)
        for numbers in together:
            patches = torch.cat([sites[number][rows] for number in numbers])
            start = (codes.shape[1] - patches.shape[1]) // 2
            embedding = changed.embed_changed(
                torch.arange(len(rows)).repeat(len(numbers)),
                torch.full((len(patches),), start),
                patches,
            )
            for number, part in zip(numbers, embedding.split(len(rows)), strict=True):
                total[number] += _sum_over(part, weight, of_logits) - before
    if of_logits:
        total = total @ weight.cpu().double().numpy().T
    return (total.T / len(chosen)).astype(np.float32)


def _sites_of(motif: Motif, n: int, seed: int) -> Tensor:
    rng = np.random.default_rng(derive_seed(seed, "sites", motif.name))
    return torch.from_numpy(draw_from(motif.matrix, n, rng))


def _by_width(motifs: Sequence[Motif]) -> list[list[int]]:
    """Group the numbers of motifs of one width, a few at a time."""
    widths = np.array([motif.width for motif in motifs], dtype=int)
    groups = [np.flatnonzero(widths == width) for width in np.unique(widths)]
    return [
        group[first : first + MOTIFS_AT_ONCE].tolist()
        for group in groups
        for first in range(0, len(group), MOTIFS_AT_ONCE)
    ]


def draw_from(ppm: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw sites from probabilities ``(4, width)``: codes, uint8 ``(n, width)``."""
    bounds = np.cumsum(ppm, axis=0)[:3]
    return (rng.random((n, 1, ppm.shape[1])) > bounds).sum(axis=1).astype(np.uint8)


@torch.no_grad()
def _sum_over(embedding: Tensor, weight: Tensor, of_logits: bool) -> np.ndarray:
    """Sum over sequences: sigmoid(h w) for each cell, or h itself, of which logits are made."""
    if of_logits:
        return embedding.double().sum(dim=0).cpu().numpy()
    blocks = weight.split(CELLS_AT_ONCE)
    sums = [torch.sigmoid(embedding @ block.T).double().sum(dim=0) for block in blocks]
    return torch.cat(sums).cpu().numpy()


def standardise(effects: np.ndarray) -> np.ndarray:
    """Turn effects ``(cells, motifs)`` into z-scores over cells; 0 for a motif without spread."""
    spread = effects.std(axis=0)
    return (effects - effects.mean(axis=0)) / np.where(spread > 0, spread, 1)


def as_activity(effects: np.ndarray, obs: pd.DataFrame, motifs: pd.DataFrame) -> AnnData:
    """Put effects into a table of cells.

    Parameters
    ----------
    effects
        From :func:`insertion_effects`: ``(cells, motifs)``.
    obs, motifs
        What is known of both; motifs by their names.

    Returns
    -------
    Cells x motifs: activity, z-scores over cells. ``var`` has ``mean`` and ``sd`` of the effects,
    from which these can be had back.
    """
    spread = {"mean": effects.mean(axis=0), "sd": effects.std(axis=0)}
    return AnnData(standardise(effects), obs=obs, var=motifs.assign(**spread))


def that_fit(database: Database, length: int) -> Database:
    """Leave out motifs wider than a sequence; how many is logged."""
    fits = np.array([motif.width <= length for motif in database.motifs], dtype=bool)
    if not fits.all():
        logger.warning("left out: %d motifs wider than %d bases", (~fits).sum(), length)
    return keep_motifs(database, fits)


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


def activity_against_expression(
    activity: AnnData, expression: sparse.csr_matrix, genes: pd.DataFrame
) -> pd.DataFrame:
    """Correlate each motif's activity with the expression of its transcription factors.

    Parameters
    ----------
    activity
        Cells x motifs; ``var["tfs"]``, ``;`` between them, and ``obs["cell_type"]``.
    expression
        Of the same cells, logarithms: ``(cells, genes)``.
    genes
        Index gene id; column ``gene_name`` if they have names.

    Returns
    -------
    One row a motif and TF, in the order of the motifs: motif, tf, gene (id), r (Pearson over
    cells), p (two-sided, by the t distribution), fdr (Benjamini-Hochberg over all tests),
    r_of_types (Pearson over the means of cell types, which dropout of single cells lowers less;
    missing for three types or fewer), expressed (share of the cells), note.

    Notes
    -----
    Yuan & Kelley (2022), Results, "scBasset infers TF activity". Cells of one type repeat each
    other, so that p-values are smaller than independent cells would give.
    """
    rows = [
        (motif, tf)
        for motif, tfs in activity.var["tfs"].astype(str).items()
        for tf in tfs.split(SEPARATOR)
    ]
    table = pd.DataFrame(rows, columns=["motif", "tf"])
    gene = np.array(match_genes(table["tf"].tolist(), genes), dtype=int)
    measured = (gene >= 0) & (table["tf"] != "").to_numpy()
    ids = np.asarray(genes.index, dtype=object)
    table["gene"] = np.where(measured, ids[gene] if len(ids) else None, None)
    table[["r", "r_of_types", "expressed"]] = np.nan
    types, number = np.unique(activity.obs["cell_type"].astype(str), return_inverse=True)
    mean_of = sparse.csr_matrix((np.ones(len(number)), (number, np.arange(len(number)))))
    mean_of = sparse.diags(1 / np.bincount(number)) @ mean_of  # (types, cells)
    motif = activity.var_names.get_indexer(table["motif"])
    columns = expression.tocsc()
    for first in range(0, measured.sum(), PAIRS_AT_ONCE):
        block = np.flatnonzero(measured)[first : first + PAIRS_AT_ONCE]
        x, y = activity.X[:, motif[block]], columns[:, gene[block]].toarray()
        table.loc[block, "r"] = pearson(x, y, axis=0)
        table.loc[block, "expressed"] = (y > 0).mean(axis=0)
        if len(types) >= MIN_OBSERVATIONS:
            table.loc[block, "r_of_types"] = pearson(mean_of @ x, mean_of @ y, axis=0)
    table["p"] = _p_of_r(table["r"].to_numpy(float), activity.n_obs)
    table["fdr"] = benjamini_hochberg(table["p"].to_numpy(float))
    notes = [table["tf"] == "", ~measured, table["expressed"] == 0]
    not_measured = NOT_MEASURED if len(genes) else "no expression"
    table["note"] = np.select(notes, [NO_TFS, not_measured, NOT_EXPRESSED], "")
    table["tf"] = table["tf"].replace("", None)
    return table[["motif", "tf", "gene", "r", "p", "fdr", "r_of_types", "expressed", "note"]]


def _p_of_r(r: np.ndarray, n: int) -> np.ndarray:
    if n < MIN_OBSERVATIONS:
        return np.full(len(r), np.nan)
    with np.errstate(divide="ignore"):
        return 2 * stats.t.sf(np.abs(r) * np.sqrt((n - 2) / (1 - r**2)), n - 2)


def rank_distinct(
    activity: AnnData,
    n: int,
    among: np.ndarray | None = None,
    *,
    max_r: float = 0.9,
    least: float = 0.1,
    max_cells: int = 2000,
) -> np.ndarray:
    """Rank the motifs that differ most between cells, one of each that go together.

    Parameters
    ----------
    activity
        Cells x motifs, as from :func:`as_activity`.
    n
        How many are wanted.
    among
        Which motifs may be ranked: bool ``(motifs,)``; None for all.
    max_r
        Of two whose activity correlates higher than this, the one with less effect is left out.
    least
        Motifs with less than this share of the strongest one's effect are left out.
    max_cells
        Correlations are taken over this many cells, evenly spaced.

    Returns
    -------
    1 for the motif of the largest effect, 2, ...; NaN for the others: ``(motifs,)``.
    """
    step = max(-(-activity.n_obs // max_cells), 1)
    x = standardise(np.asarray(activity.X[::step], dtype=np.float64))
    x /= np.sqrt(len(x))
    sd = activity.var["sd"].to_numpy(float)
    may = sd >= least * sd.max(initial=0)
    may &= True if among is None else among
    kept: list[int] = []
    for number in np.argsort(-sd, kind="stable"):
        if len(kept) == n:
            break
        if may[number] and (not kept or (x[:, kept].T @ x[:, number]).max() <= max_r):
            kept.append(int(number))
    rank = np.full(activity.n_vars, np.nan)
    rank[kept] = np.arange(1, len(kept) + 1)
    return rank
