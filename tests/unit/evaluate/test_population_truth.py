"""Predictions of simulated populations against the truth, on cases worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from cisgrammar.evaluate.population_truth import (
    compare_populations,
    draw_genes,
    found_motifs,
    rank_sites,
)

KINDS = pd.DataFrame(
    {"place": ["near", "far"], "class": ["", "glia"]}, pd.Index(["ELK1", "RFX2"], name="motif")
)
POPULATIONS = pd.DataFrame(
    {
        "level": ["all_cells", "class", "class"],
        "label": ["all", "glia", "neuron"],
        "parent": ["", "all_cells/all", "all_cells/all"],
    },
    ["all_cells/all", "class/glia", "class/neuron"],
)


def effects(values: list[float]) -> AnnData:
    """One gene, one population."""
    obs = pd.DataFrame({"gene": "g"}, [f"g:{i}" for i in range(len(values))])
    return AnnData(np.array(values)[:, None], obs, pd.DataFrame(index=["class/glia"]))


def site(start: int, motif: str = "RFX2", width: int = 2) -> dict:
    return {"gene": "g", "motif": motif, "start": start, "sequence": "A" * width}


def test_a_site_is_ranked_among_stretches_that_touch_no_site():
    # stretches of two elsewhere: 0-1, 1-2, 5-6, 6-7; the other site's strong bases do not count
    given = effects([0.1, 0.1, 0.5, -0.9, 0.9, 0.1, 2.0, 0.1])
    ranks = rank_sites(given, pd.DataFrame([site(3)]))
    assert ranks["effect"].tolist() == pytest.approx([0.9])
    assert ranks["rank"].tolist() == [0.5]  # above (.1, .3), below twice 1.05
    both = rank_sites(given, pd.DataFrame([site(3), site(6, "ELK1", 1)]))
    assert both["rank"].tolist() == [1.0, 1.0]


def test_genes_without_sites_have_no_ranks():
    ranks = rank_sites(effects([0.0] * 8), pd.DataFrame([site(3), {**site(0), "gene": "other"}]))
    assert ranks["gene"].tolist() == ["g"]


def test_found_sites_are_counted_apart_where_the_motif_acts():
    ranks = pd.DataFrame(
        [
            (motif, population, rank)
            for motif, population, its in (
                ("RFX2", "class/glia", [1.0, 0.96, 0.5]),
                ("RFX2", "class/neuron", [0.1, 0.95, 0.5]),
                ("RFX2", "all_cells/all", [1.0, 0.2, 0.3]),
                ("ELK1", "class/neuron", [0.99]),
            )
            for rank in its
        ],
        columns=["motif", "population", "rank"],
    ).assign(effect=lambda table: table["rank"] / 10)
    table = found_motifs(ranks, KINDS, POPULATIONS)
    assert table["found"].tolist() == pytest.approx([2 / 3, 0, 1 / 3, 1])
    assert table["acts"].tolist() == [True, False, True, True]
    assert table["n_sites"].tolist() == [3, 3, 3, 1]
    assert table["median_effect"].tolist() == pytest.approx([0.096, 0.05, 0.03, 0.099])
    assert table["class"].tolist() == ["glia", "glia", "glia", ""]


def test_genes_are_drawn_in_their_order_and_the_same_ones_again():
    genes = [f"g{i}" for i in range(50)]
    drawn = draw_genes(genes, 10, seed=1)
    assert drawn == draw_genes(genes, 10, seed=1) != draw_genes(genes, 10, seed=2)
    assert drawn == sorted(set(drawn), key=genes.index) and len(drawn) == 10
    assert draw_genes(genes, 99, seed=1) == genes


def test_a_model_of_a_class_gains_where_its_motif_stands_and_nowhere_else():
    rng = np.random.default_rng(0)
    names = [f"g{i}" for i in range(60)]
    base, bears = rng.standard_normal(60), np.arange(60) % 3 == 0
    expression = np.stack([base + 2 * bears, base])  # of a type of glia and one of neurons
    told = AnnData(
        10**expression,
        pd.DataFrame({"class": ["glia", "neuron"], "share": [0.5, 0.5]}, ["G1", "N1"]),
        pd.DataFrame(index=names),
        layers={"predictable": 10**expression},
    )
    whole = np.log10((10**expression).mean(axis=0))
    observed = AnnData(np.stack([whole, *expression]), POPULATIONS, pd.DataFrame(index=names))
    predicted = observed.copy()
    predicted.X = predicted.X + 0.1 * rng.standard_normal(60)  # all models err alike
    genes = pd.DataFrame({"specific_to": np.where(bears, "glia", "")}, names)
    table = compare_populations(observed, predicted, genes, told, seed=0)
    table = table.set_index(["population", "genes"])
    assert table["ceiling"].tolist() == pytest.approx([1] * len(table))
    assert table["gain"]["class/glia", "all"] > table["gain_low"]["class/glia", "all"] > 0.5
    assert table["gain"]["class/glia", "of no class"] == pytest.approx(0, abs=1e-9)
    assert table["told_gain"]["class/glia", "of no class"] == pytest.approx(0, abs=1e-9)
    assert table["told_gain"]["class/glia", "of its class"] == 1
    assert table["n_genes"]["class/glia", "of no class"] == 40
    assert table["gain"]["class/neuron", "of other classes"] == pytest.approx(0, abs=0.05)
    assert ("class/neuron", "of its class") not in table.index  # no gene bears its motif
