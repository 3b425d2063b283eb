"""Each kind of figure with 60 cell types of long names: nothing is cut, nothing overlaps."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import (
    cells,
    denoising,
    families,
    influence,
    kmers,
    links,
    positions,
    regulators,
    single_cells,
    tf_activity,
    truth,
)
from cisgrammar.plots.cell_types import cell_type_table
from cisgrammar.plots.style import TWO_COLUMNS

N = 300
TYPES = [f"CD{i}+ tissue-resident effector memory T cell, alpha-beta, {i}" for i in range(60)]
TABLE = cell_type_table(TYPES)
COLOURS = dict(zip(TABLE["cell_type"], TABLE["colour"], strict=True))
ROWS = [f"Family/{'ACGT'[i % 4]}{i}" for i in range(20)]
rng = np.random.default_rng(0)
LABELS = np.resize(TYPES, N)
VALUES = pd.DataFrame(rng.normal(size=(20, 60)), pd.Index(ROWS, name="family"), TYPES)
OBS = pd.DataFrame({"cell_type": LABELS, "purity": rng.uniform(0.3, 1, N), "seed": "c"})
OBS.index = [f"c{i}" for i in range(N)]
POOLS = ad.AnnData(rng.normal(size=(N, 20)), OBS, pd.DataFrame(index=ROWS))
POOLS.obsm["X_umap"] = POOLS.obsm["X_tsne"] = rng.normal(size=(N, 2))
FAMILIES = pd.DataFrame(
    {"family": ROWS, "reproducibility": 1.0, "reproducible": True, "example": ROWS}
)
MOTIFS = [Motif(name, np.full((4, 9), 0.25)) for name in ROWS]
LONG = VALUES.reset_index().melt("family", var_name="cell_type", value_name="effect")
KMERS = VALUES.reset_index(names="kmer").assign(
    part="differences", start=0, end=9, folds=1.0, strength=1.0, motif="m", tf="SP1", motif_p=0.1
)
KMERS = KMERS[[*KMERS.columns.difference(TYPES, sort=False), *TYPES]]
NAMED = pd.DataFrame({"name": ROWS, "sd": 1.0}, index=ROWS)
PER_CELL = OBS.assign(r_raw=0.1, r_denoised=rng.uniform(size=N))
LINKS = pd.DataFrame(
    {"distance": rng.integers(-100_000, 100_000, N), "call": "strong", "best_cell_type": LABELS}
)
BINS = pd.concat([LONG.assign(bin=i, start=10 * i, end=10 * i + 10, effect_se=0.1) for i in (0, 1)])
PAIRS = pd.DataFrame({"family": ROWS[:2], "tf": ["SP1", "NRF1"], "rho": [0.5, 0.4]})
EXPRESSION = pd.DataFrame({"SP1": rng.uniform(size=N), "NRF1": 1.0}, OBS.index)
DEPTH = OBS.assign(log10_open=rng.uniform(size=N), intercept=rng.uniform(size=N))

FIGURES = {
    "umap_cells": lambda: cells.umap_cells(POOLS, OBS.index[:5], COLOURS),
    "pool_purity": lambda: cells.pool_purity(POOLS),
    "influence_heatmap": lambda: influence.influence_heatmap(VALUES, MOTIFS, VALUES),
    "influence_heatmap_ordered": lambda: influence.influence_heatmap(
        VALUES, MOTIFS, VALUES, order=TYPES
    ),
    "pools_pca": lambda: influence.pools_pca(POOLS, COLOURS),
    "family_heatmap": lambda: families.family_heatmap(VALUES, FAMILIES, MOTIFS, VALUES),
    "family_stability": lambda: families.family_stability(
        LONG.assign(mean=LONG["effect"], low=LONG["effect"] - 1, high=LONG["effect"] + 1),
        FAMILIES,
        COLOURS,
    ),
    "influence_against_expression": lambda: regulators.influence_against_expression(
        POOLS, EXPRESSION, PAIRS, COLOURS
    ),
    "kmer_heatmap": lambda: kmers.kmer_heatmap(KMERS),
    "family_positions": lambda: positions.family_positions(BINS, FAMILIES, MOTIFS),
    "tf_activity": lambda: tf_activity.activity_heatmap(
        VALUES, NAMED, {motif.name: motif.matrix for motif in MOTIFS}
    ),
    "umap_by_cell_type": lambda: single_cells.embedding_map(POOLS, "cell_type", "X_umap", COLOURS),
    "depth_against_intercept": lambda: single_cells.depth_against_intercept(DEPTH, COLOURS),
    "denoised_accessibility": lambda: denoising.denoised_heatmap(
        rng.integers(0, 2, (N, 30)), rng.uniform(size=(N, 30)), OBS["cell_type"], COLOURS
    ),
    "accessibility_against_expression": lambda: denoising.accessibility_against_expression(
        PER_CELL, PER_CELL, COLOURS
    ),
    "links_by_distance": lambda: links.links_by_distance(LINKS, 100_000, COLOURS),
    "link_activities": lambda: links.link_activities(VALUES),
    "influence_against_truth": lambda: truth.influence_against_truth(
        LONG.assign(motif=LONG["family"], activity=LONG["effect"]), COLOURS, "effect"
    ),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_sixty_types_of_long_names_are_legible(kind):
    figure = FIGURES[kind]()
    assert_legible(figure)
    width, height = figure.get_size_inches() * 25.4
    assert width <= TWO_COLUMNS + 1 and height <= 250
