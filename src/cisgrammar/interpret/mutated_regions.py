"""Mutagenesis of several regions: effects, what chance gives, and the sites that explain them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.common.progress import progress
from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.sequence import BASES, encode
from cisgrammar.interpret.mutagenesis import (
    SITE_COLUMNS,
    importance,
    label_motifs,
    mean_weights,
    mutate,
    shuffled_importance,
)
from cisgrammar.models.abilities import Inserts
from cisgrammar.motifs.databases import SEPARATOR, Database, tfs_by_motif
from cisgrammar.motifs.fimo import hits

COLUMNS = ["region", "cell_type", "motif", "name", "tfs", "chrom", *SITE_COLUMNS[2:]]
logger = logging.getLogger(__name__)


def _each(regions: pd.DataFrame) -> Iterator[tuple[Any, np.ndarray, int, int]]:
    """Yield each region, its codes, and where the mutated part starts and ends in them."""
    rows = list(regions.itertuples(index=False))
    for region in progress(rows, "regions"):
        first = int(region.start - region.window_start)
        yield region, encode(region.sequence), first, first + int(region.end - region.start)


def mutate_regions(model: Inserts, regions: pd.DataFrame, cell_types: Sequence[str]) -> AnnData:
    """Mutate every base of some regions.

    Parameters
    ----------
    model
        A trained model.
    regions
        region, chosen_for, chrom, start, end (what is mutated), window_start, sequence (what the
        model reads).
    cell_types
        Of the cells.

    Returns
    -------
    Positions x cell types: importance of the base that stands there; layers A, C, G and T: the
    change of the logit by that base. obs: region, chosen_for, chrom, position (0-based), base.
    """
    weights, names = mean_weights(model, cell_types)
    obs, scores, layers = [], [], []
    for region, codes, first, end in _each(regions):
        effects = mutate(model, codes, weights, first, end)
        here = codes[first:end]
        scores.append(importance(effects, here).T)
        layers.append(effects.transpose(1, 2, 0))  # (4, positions, groups)
        obs.append(
            pd.DataFrame(
                {
                    "region": region.region,
                    "chosen_for": region.chosen_for,
                    "chrom": region.chrom,
                    "position": np.arange(region.start, region.end),
                    "base": list(region.sequence[first:end]),
                }
            )
        )
    table = pd.concat(obs, ignore_index=True)
    table.index = table["region"] + "+" + table.groupby("region").cumcount().astype(str)
    var = pd.DataFrame(index=pd.Index(names, name="cell_type"))
    mutated = AnnData(np.concatenate(scores).astype(np.float32), table, var)
    for base, layer in zip(BASES, np.concatenate(layers, axis=1), strict=True):
        mutated.layers[base] = layer
    return mutated


def null_thresholds(
    model: Inserts,
    regions: pd.DataFrame,
    cell_types: Sequence[str],
    *,
    n_shuffles: int,
    quantile: float,
    seed: int,
) -> pd.DataFrame:
    """Find the importance that bases of shuffled regions rarely have.

    Parameters
    ----------
    model, regions, cell_types
        As in :func:`mutate_regions`.
    n_shuffles
        Of each region.
    quantile
        Of the absolute importance of all shuffles' bases.
    seed
        Of the shuffles.

    Returns
    -------
    cell_type, threshold, n_bases (of shuffles that it is from).
    """
    weights, names = mean_weights(model, cell_types)
    null = [
        shuffled_importance(
            model, codes, weights, first, end, n_shuffles=n_shuffles,
            seed=derive_seed(seed, region.region),
        ).reshape(len(names), -1)
        for region, codes, first, end in _each(regions)
    ]  # fmt: skip
    scores = np.abs(np.concatenate(null, axis=1))
    thresholds = np.quantile(scores, quantile, axis=1)
    return pd.DataFrame({"cell_type": names, "threshold": thresholds, "n_bases": scores.shape[1]})


def label_sites(
    effects: AnnData,
    regions: pd.DataFrame,
    thresholds: pd.DataFrame,
    database: Database,
    *,
    scan_threshold: float,
    seed: int,
) -> pd.DataFrame:
    """Name the motifs whose shape importance has, in every region and cell type.

    Parameters
    ----------
    effects
        From :func:`mutate_regions`.
    regions
        As there.
    thresholds
        From :func:`null_thresholds`.
    database
        Known motifs.
    scan_threshold
        FIMO's largest p-value of a hit.
    seed
        Of the shuffles of :func:`cisgrammar.interpret.mutagenesis.label_motifs`.

    Returns
    -------
    region, cell_type, motif, name, tfs, chrom, start, end (in the genome), strand, fimo_p,
    importance, r, p, q: all hits whose mean importance reaches the threshold, best first in each
    region and cell type.
    """
    matrices = {motif.name: motif.matrix for motif in database.motifs}
    codes = np.stack([encode(sequence) for sequence in regions["sequence"]])
    fitting = [motif for motif in database.motifs if motif.width <= codes.shape[1]]
    found = hits(codes, regions["region"].tolist(), fitting, scan_threshold)
    tables = []
    for row, (region, _, first, end) in enumerate(_each(regions)):
        here = found[found["sequence_name"] == region.region].copy()
        here = here[(here["start"] > first) & (here["stop"] <= end)]
        here[["start", "stop"]] -= first
        scores = effects.X[(effects.obs["region"] == region.region).to_numpy()].T
        for name, score, least in zip(
            effects.var_names, scores, thresholds["threshold"], strict=True
        ):
            table = label_motifs(
                score.astype(np.float64), codes[row, first:end], here, matrices, least=least,
                seed=derive_seed(seed, region.region, name),
            )  # fmt: skip
            tables.append(table.assign(region=region.region, cell_type=name, chrom=region.chrom))
            tables[-1][["start", "end"]] += region.start
    sites = pd.concat(tables, ignore_index=True)
    tfs = {motif: SEPARATOR.join(names) for motif, names in tfs_by_motif(database.table).items()}
    names = dict(zip(database.table["motif"], database.table["name"], strict=True))
    logger.info("%d hits are important in a cell type, of %d hits in all", len(sites), len(found))
    return sites.assign(name=sites["motif"].map(names), tfs=sites["motif"].map(tfs))[COLUMNS]
