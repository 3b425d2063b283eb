"""Figures of populations are legible, and say what tables say."""

import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible

from cisgrammar.plots.populations import (
    cross_heatmap,
    gain_against_similarity,
    gene_r_against_variance,
    population_ablations,
    population_scores,
)

NAMES = ["all_cells/all", *(f"cell_type/type with a long name {i}" for i in range(12))]


def scores(names=NAMES):
    rng = np.random.default_rng(0)
    rows = [
        (method, name, fold, "all", rng.uniform(0.2, 0.7))
        for method in ("scxpresso", "tissue", "features", "flags", "kmer_ridge")
        for name in names
        for fold in range(3)
    ]
    return pd.DataFrame(rows, columns=["method", "population", "fold", "genes", "r"])


def cross(names):
    table = pd.DataFrame(
        [(a, b) for a in names for b in names], columns=["predicted_by", "scored_on"]
    )
    return table.assign(r=np.linspace(0, 1, len(table)))


def genes(n):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"level": "cell_type", "variance": rng.gamma(1, 1, n), "r": rng.uniform(-1, 1, n)}
    )


def similar(n):
    levels = ["class", "cell_type"] * (n // 2)
    return pd.DataFrame(
        {"level": levels, "similarity": np.linspace(0.5, 1, n), "gain": np.linspace(0.1, 0, n)}
    )


def ablations(names):
    rng = np.random.default_rng(0)
    rows = [
        (name, f"{level}/a", level, fold, rng.uniform(0.2, 0.7))
        for name in names
        for level in ("all_cells", "a level with a very long name")
        for fold in range(4)
    ]
    return pd.DataFrame(rows, columns=["ablation", "population", "level", "fold", "r"])


@pytest.mark.parametrize(
    "figure",
    [
        population_ablations(
            ablations(["whole model", "sequence", "features", "500_500", "2000_1000"])
        ),
        population_ablations(ablations(["whole model", "500_500"])),
        population_scores(scores(), "scxpresso"),
        population_scores(scores(NAMES[:1]), "scxpresso"),
        gain_against_similarity(similar(8), "scxpresso"),
        gain_against_similarity(similar(0), "scxpresso"),
        gene_r_against_variance(genes(300), "scxpresso"),
        gene_r_against_variance(genes(0), "scxpresso"),
        cross_heatmap(cross(NAMES), "scxpresso"),
        cross_heatmap(cross(NAMES[:1]), "scxpresso"),
    ],
    ids=lambda _: "",
)
def test_figures_are_legible(figure):
    assert_legible(figure)


def test_the_gain_is_told_with_its_correlation():
    figure = gain_against_similarity(similar(8), "scxpresso")
    assert figure.axes[0].get_title(loc="left") == "8 populations, r = −1.00"


def test_tables_without_columns_are_refused():
    for draw in (population_scores, gain_against_similarity, gene_r_against_variance):
        with pytest.raises(ValueError, match=draw.__name__):
            draw(pd.DataFrame({"x": [1]}), "scxpresso")
