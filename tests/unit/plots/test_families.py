import anndata as ad
import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, saved_bytes, shown_texts

from cisgrammar.interpret.influence import z_scores
from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import families, regulators, style
from cisgrammar.plots.heatmaps import spread
from cisgrammar.plots.influence import colours_of_heatmap, pools_pca

TYPES = {5: [f"type {i}" for i in range(5)], 60: [f"Long cell type name {i}" for i in range(60)]}


def family_table(n, aside=2):
    names = [f"Family/{i}" for i in range(n)]
    return pd.DataFrame(
        {
            "family": names,
            "reproducibility": 0.8,
            "reproducible": [i < n - aside for i in range(n)],
            "example": [f"0_{i}" for i in range(n)],
        }
    )


def by_cell_type(n, n_types):
    values = np.random.default_rng(0).normal(size=(n, n_types))
    index = pd.Index(family_table(n)["family"], name="family")
    return pd.DataFrame(values, index=index, columns=TYPES[n_types])


def pools(n, n_types, n_pools=120):
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({"cell_type": np.resize(TYPES[n_types], n_pools)})
    obs.index = [f"pool{i}" for i in range(n_pools)]
    var = pd.DataFrame(index=by_cell_type(n, n_types).index)
    return ad.AnnData(rng.normal(size=(n_pools, n)), obs=obs, var=var)


def regulator_table(n=40):
    rng = np.random.default_rng(1)
    rho = rng.uniform(-1, 1, n)
    return pd.DataFrame(
        {
            "family": np.resize(["Ebox/CACCTG", "KLF/SP/1", "A family of a long name indeed"], n),
            "tf": [f"TF{i}" for i in range(n)],
            "rho": rho,
            "fdr": np.where(np.abs(rho) > 0.2, 10.0 ** (-30 * np.abs(rho)), 0.5),
            "mean_expression": rng.uniform(0, 3, n),
        }
    )


@pytest.mark.parametrize("n, n_types", [(4, 5), (20, 60), (70, 60)])
def test_family_heatmap(n, n_types):
    z, table = by_cell_type(n, n_types), family_table(n)
    motifs = [Motif(f"0_{i}", np.full((4, 8), 0.25)) for i in range(n)]
    categories = {name: f"group {i % 4}" for i, name in enumerate(z.columns)}
    figure = families.family_heatmap(z, table, motifs, z * 0.01, categories)
    texts = shown_texts(figure)
    assert sum(text.startswith("Family/") for text in texts) == min(n, 45)
    assert "Family/0 (80%)" in texts and "group 3" in texts
    assert_legible(figure)
    assert figure.get_size_inches()[1] / style.MM <= 247


def test_families_set_aside_are_grey():
    figure = families.family_heatmap(by_cell_type(6, 5), family_table(6))
    greys = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert greys["Family/5 (80%)"] != greys["Family/0 (80%)"] == style.INK


def test_correlations_have_a_fixed_scale():
    table = pd.DataFrame(np.eye(7) * 0.5, index=list("abcdefg"), columns=list("abcdefg"))
    figure = families.correlation_heatmap(table)
    assert {"−1", "0", "1", "Spearman's ρ"} <= set(shown_texts(figure))
    assert_legible(figure)


@pytest.mark.parametrize("n, n_types", [(1, 5), (13, 5), (40, 60)])
def test_family_stability(n, n_types):
    means = by_cell_type(n, n_types).reset_index()
    means = means.melt("family", var_name="cell_type", value_name="mean")
    means["low"], means["high"] = means["mean"] - 0.1, means["mean"] + 0.1
    figure = families.family_stability(means, family_table(n))
    assert "Influence (log10 counts)" in shown_texts(figure)
    assert sum(text.startswith("Family/") for text in shown_texts(figure)) == min(n, 30)
    assert_legible(figure)
    assert figure.get_size_inches()[1] / style.MM <= 247


def test_pools_by_family_draws_those_that_vary_most():
    data = pools(15, 5)
    data.X[:, 3] *= 10
    figure = families.pools_by_family(data)
    panels = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(panels) == 12 and panels[0] == "Family/3"
    assert_legible(figure)


def test_stored_components_are_taken_as_they_are():
    data = pools(5, 5)
    data.obsm["X_pca"] = np.arange(len(data) * 3.0).reshape(-1, 3)
    data.uns["pca"] = {"variance_ratio": np.array([0.5, 0.25, 0.1])}
    texts = shown_texts(families.pools_by_family(data, ["Family/1"]))
    assert {"PC1 (50% of variance)", "PC2 (25% of variance)", "Family/1"} <= set(texts)


@pytest.mark.parametrize("n", [1, 40, 400])
def test_volcano_labels_never_overlap(n):
    table = regulator_table(n)
    figure = regulators.regulator_volcano(table)
    assert_legible(figure)
    named = [text.split(" ")[0] for text in shown_texts(figure) if text.startswith("TF")]
    strongest = table.loc[table["rho"].abs().idxmax()]
    assert strongest["fdr"] >= 0.05 or strongest["tf"] in named
    weak = set(table.loc[table["fdr"] >= 0.05, "tf"])
    assert len(named) <= 40 and not weak & set(named)


def test_volcano_passes_over_what_was_not_tested(tmp_path):
    table = regulator_table()
    table.loc[3, ["rho", "fdr"]] = np.nan
    table.loc[4, "fdr"] = 0  # too small for a float
    first, second = (
        saved_bytes(regulators.regulator_volcano(table), tmp_path / name) for name in "ab"
    )
    assert first == second
    with pytest.raises(ValueError, match="nothing to draw"):
        regulators.regulator_volcano(table.assign(rho=np.nan))


@pytest.mark.parametrize("n_types, n_pairs", [(5, 1), (5, 3), (60, 12)])
def test_scatter_names_pairs_and_cell_types(n_types, n_pairs):
    data = pools(6, n_types)
    expression = pd.DataFrame(
        data.X + 1, index=data.obs_names, columns=[f"TF{i}" for i in range(6)]
    )
    pairs = pd.DataFrame({"family": "Family/1", "tf": "TF2", "rho": -0.5}, index=range(n_pairs))
    figure = regulators.influence_against_expression(data, expression, pairs)
    texts = shown_texts(figure)
    assert texts.count("Family/1\nTF2: ρ = −0.50") == n_pairs
    assert set(TYPES[n_types]) <= set(texts)
    assert_legible(figure)


@pytest.mark.parametrize(
    "wanted, places",
    [
        ([1, 5, 9], [1, 5, 9]),
        ([4, 4, 4], [2, 4, 6]),
        ([0, 0, 9], [0, 2, 9]),
        ([10, 10], [8, 10]),
    ],
)
def test_spread_moves_labels_as_little_as_needed(wanted, places):
    assert spread(np.array(wanted, float), 2, 0, 10).tolist() == places


@pytest.mark.parametrize(
    "draw",
    [
        lambda: families.family_heatmap(by_cell_type(0, 5), family_table(0, 0)),
        lambda: families.correlation_heatmap(pd.DataFrame()),
        lambda: families.pools_by_family(pools(3, 5)[:0]),
        lambda: regulators.regulator_volcano(regulator_table(0)),
    ],
)
def test_empty_input_is_an_error(draw):
    with pytest.raises(ValueError, match="nothing to draw"):
        draw()


def test_two_pools_have_neither_a_plane_nor_correlations():
    for draw in (families.pools_by_family, pools_pca):
        with pytest.raises(ValueError, match=r"2 pools .* takes 3"):
            draw(pools(3, 5)[:2])
    with pytest.raises(ValueError, match="three pools"):
        families.correlation_heatmap(pd.DataFrame(np.nan, ["a", "b"], ["a", "b"]))


@pytest.mark.parametrize("n_types", [2, 3, 4])
def test_few_columns_show_the_score_itself(n_types):
    """Of two columns z-scores are -1 and 1, whatever the motif does."""
    z = by_cell_type(4, 5).iloc[:, :n_types]
    raw = z * 0.1
    values, text = colours_of_heatmap(z, raw, "effect", "log10 counts")
    assert text == "Effect about its mean (log10 counts)"
    pd.testing.assert_frame_equal(values, raw.sub(raw.mean(axis=1), axis=0))
    assert "z-score" in colours_of_heatmap(z, None, "effect", "log10 counts")[1]


def test_effects_of_almost_nothing_are_pale():
    raw = by_cell_type(4, 5)
    raw = raw.sub(raw.mean(axis=1), axis=0).div(raw.std(axis=1, ddof=0), axis=0)
    raw = raw.mul([1.0, 0.2, 0.05, 0.0], axis=0)  # standard deviations of the rows
    z = z_scores(raw)
    values, text = colours_of_heatmap(z, raw, "effect", "log10 counts")
    assert "z-score" in text
    expected = z.mul([1.0, 1.0, 0.5, 0.0], axis=0)  # 0.05 is half of a tenth of the largest
    pd.testing.assert_frame_equal(values, expected)


def test_categories_and_examples_of_families():
    assert families.category_of_types({"blood": ["T", "B"]}) == {"T": "blood", "B": "blood"}
    assert families.category_of_types({}) is None
    table = pd.DataFrame({"family": ["B", "A"], "example": ["1_0", "0_2"]})
    filters = pd.DataFrame({"motif": ["0_2", "0_1", "1_0"], "fold": [0, 0, 1]})
    assert families.examples_of(table, filters)["motif"].tolist() == ["1_0", "0_2"]
