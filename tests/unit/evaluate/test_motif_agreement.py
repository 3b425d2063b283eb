"""Families of motifs by model: only what differs between cell types counts, in any unit."""

import numpy as np
import pandas as pd
import pytest

from cisgrammar.evaluate.motif_agreement import (
    compare_families,
    of_kmers,
    of_known_motifs,
    of_labels,
)

TYPES = ["A", "B", "C"]
CLUSTERS = pd.DataFrame({"motif": ["m1", "m2", "m3"], "cluster_name": ["f1", "f1", "f2"]})


def effects(**rows):
    return pd.DataFrame(rows, index=TYPES).T


def test_agreement_does_not_depend_on_units_or_means():
    one, other = effects(f1=[1, 2, 4], f2=[0, 1, 0]), effects(f1=[110, 120, 140], f2=[0, -5, 0])
    found = compare_families({"a": one, "b": other}, TYPES, {"f1", "f2"})
    assert found["family"].tolist() == ["f1", "f1", "f2", "f2"]
    assert found["agreement"].tolist() == pytest.approx([1, 1, -1, -1])
    np.testing.assert_allclose(found.loc[0, TYPES].astype(float), found.loc[1, TYPES].astype(float))
    np.testing.assert_allclose(found[TYPES].astype(float).std(axis=1, ddof=0), 1)


def test_agreement_of_three_is_the_mean_over_pairs():
    tables = {name: effects(f1=row) for name, row in
              {"a": [1, 2, 3], "b": [1, 2, 3], "c": [3, 2, 1]}.items()}  # fmt: skip
    found = compare_families(tables, TYPES, {"f1"})
    assert found["agreement"].tolist() == pytest.approx([-1 / 3] * 3)  # of 1, -1, -1
    assert found["r"].tolist()[2] == pytest.approx(-1) and (found["n_models"] == 3).all()


def test_what_one_model_has_alone_or_varies_in_no_type_is_left_out():
    one = effects(f1=[1, 2, 3], f2=[5, 5, 5], own=[1, 2, 3])
    other = effects(f2=[1, 2, 3], own=[1, 2, 3])
    assert compare_families({"a": one, "b": other}, TYPES, {"f1", "f2"}).empty


@pytest.mark.parametrize("columns", [["A", "B"], ["A", "B", "X"]])
def test_too_few_cell_types_in_common_compare_nothing(columns):
    one = effects(f1=[1, 2, 3])
    other = pd.DataFrame([[1.0] * len(columns)], ["f1"], columns)
    found = compare_families({"a": one, "b": other}, TYPES, {"f1"})
    assert found.empty and "agreement" in found


def test_known_motifs_are_averaged_and_kmers_added_up_by_family():
    motifs = pd.DataFrame({"A": [1.0, 3, 5, 7]}, index=["m1", "m2", "m3", "unknown"])
    assert of_known_motifs(motifs, CLUSTERS)["A"].to_dict() == {"f1": 2.0, "f2": 5.0}
    kmers = pd.DataFrame(
        {
            "part": ["differences", "differences", "levels", "differences"],
            "motif": ["m1", "m2", "m3", ""],
            **{"A": [1.0, 2, 9, 9], "X": [0.0] * 4},
        }
    )
    found = of_kmers(kmers, CLUSTERS, TYPES)
    assert found.to_dict() == {"A": {"f1": 3.0}}


def test_populations_are_cell_types_by_their_label():
    labels = pd.DataFrame({"all/all": [1.0], "tissue/B": [2.0], "cell_type/B": [3.0], "A": [4.0]})
    assert of_labels(labels, TYPES).to_dict("list") == {"B": [3.0], "A": [4.0]}
