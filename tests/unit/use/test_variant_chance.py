"""Matched random variants, and what p they give."""

import numpy as np
import pandas as pd
import pytest
from made_trained import CODES, made_results

import cisgrammar
from cisgrammar.genome.sequence import BASES, decode
from cisgrammar.use.variant_chance import kind_of, p_values
from cisgrammar.use.variant_effects import variant_effects

GENOME = decode(CODES)


def substitutions(places):
    alts = [BASES[(CODES[place] + 1) % 4] for place in places]
    table = pd.DataFrame({"chrom": "chr1", "start": places, "alt": alts})
    refs = [GENOME[place] for place in places]
    return table.assign(ref=refs, variant=[f"v{i}" for i in range(len(places))])


@pytest.mark.parametrize(
    "was, becomes, strand, expected",
    [
        ("A", "C", "+", "A/C"),
        ("C", "A", "+", "A/C"),
        ("T", "G", "-", "A/C"),
        ("AC", "GT", "+", "2 replaced, 0 more or fewer"),
        ("", "A", "+", "0 replaced, 1 more or fewer"),
        ("ACGTA", "", "-", "0 replaced, 8 more or fewer"),
        ("ACG", "T", "+", "1 replaced, 2 more or fewer"),
    ],
)
def test_kinds_are_the_same_both_ways(was, becomes, strand, expected):
    assert kind_of(was, becomes, strand) == kind_of(becomes, was, strand) == expected


def test_p_counts_random_variants_with_at_least_the_size_and_the_variant_itself():
    effect = np.array([[3.0, -1.0], [-2.0, 0.0], [9.0, 9.0]])
    sizes = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 1.0], [5.0, 4.0]])
    p, q = p_values(effect, [(np.array([0, 1]), sizes), (np.array([2]), sizes)])
    np.testing.assert_allclose(p, [[2 / 5, 4 / 5], [3 / 5, 1], [1 / 5, 1 / 5]])
    np.testing.assert_allclose(q, [[3 / 5, 1], [3 / 5, 1], [3 / 5, 3 / 5]])


@pytest.mark.parametrize("all_folds", [False, True])
def test_p_is_small_where_the_window_matters_and_even_where_it_is_random(tmp_path, all_folds):
    """The genome of the test is random: its variants are as random ones are."""
    trained = cisgrammar.load(made_results(tmp_path))
    variants = substitutions(np.concatenate([np.arange(102, 138), np.arange(222, 258)]))
    asked = {"by": "cell_type", "all_folds": all_folds, "n_random": 200, "seed": 3}
    effects, _ = variant_effects(trained, variants, **asked)
    again, _ = variant_effects(trained, variants, **asked)
    pd.testing.assert_frame_equal(effects, again)
    assert effects["p"].between(1 / 201, 1).all() and (effects["q"] >= effects["p"]).all()
    of_label = effects.groupby("label")["p"]
    assert of_label.mean().between(0.3, 0.75).all()
    larger = effects.sort_values("effect", key=abs)
    for _, its in larger.groupby("label"):
        assert its["p"].iloc[-5:].mean() < its["p"].iloc[:5].mean()


def test_a_site_that_stands_out_is_found(tmp_path):
    """A filter's best word is planted: a base of it means more than random bases do."""
    trained = cisgrammar.load(made_results(tmp_path))
    weight = np.zeros((3, 4, 6), np.float32)
    weight[0, [0, 1, 2, 3, 0, 1], np.arange(6)] = 2.0  # ACGTAC
    for model in trained.models.values():
        its = model.motifs.weight
        its.data = its.data.new_tensor(weight.reshape(its.shape))
        model.head.weight.data[:] = 1.0
    trained.dataset.varm["codes"][2, 10:16] = [0, 1, 2, 3, 0, 1]
    plus = decode(trained.dataset.varm["codes"][2])
    places = np.arange(100, 139)
    table = pd.DataFrame({"variant": [f"v{p}" for p in places], "chrom": "chr1", "start": places})
    refs = [plus[p - 100] for p in places]
    table = table.assign(ref=refs, alt=["C" if ref == "A" else "A" for ref in refs])
    effects, _ = variant_effects(trained, table, by="cell_type", n_random=300)
    inside = effects["position"].between(111, 116)
    assert effects[inside]["p"].max() < 0.15 and effects[~inside]["p"].median() > 0.3


def test_bases_that_come_or_go_are_judged_against_others_of_their_number(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    table = pd.DataFrame(
        {"variant": ["in", "out"], "chrom": "chr1", "start": [110, 120],
         "ref": [GENOME[110], GENOME[120:124]], "alt": [GENOME[110] + "GAT", GENOME[120]]}
    )  # fmt: skip
    effects, _ = variant_effects(trained, table, by="cell_type", n_random=50)
    assert effects["p"].notna().all() and len(effects) == 4
