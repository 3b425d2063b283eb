import gzip
import os
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from cisgrammar.common.errors import InputError
from cisgrammar.interpret.gene_sets import (
    correlate_markers,
    correlate_sets,
    match_sets,
    mean_expression,
    read_gmt,
)

GMT = Path(__file__).parents[4] / "shared" / "data" / "yeast_stress" / "go_slim_process.gmt"
needs_gmt = pytest.mark.skipif(
    not GMT.is_file() and not os.environ.get("CI"), reason=f"no real data at {GMT}"
)
POOLS = [f"pool{i}" for i in range(8)]


def made():
    """Two families, rising and falling over pools, and ten genes of each kind."""
    rng = np.random.default_rng(0)
    rise = np.arange(8.0)
    influence = np.stack([rise, -rise], axis=1)
    families = anndata.AnnData(
        influence, pd.DataFrame(index=POOLS), pd.DataFrame(index=["UP/A", "DOWN/B"])
    )
    up = 10 * rise[:, None] + rng.integers(0, 5, (8, 10))
    down = 10 * (7 - rise[:, None]) + rng.integers(0, 5, (8, 10))
    counts = sparse.csr_matrix(np.hstack([up, down, np.full((8, 10), 7)]))
    names = [f"{kind}{i}" for kind in ("up", "down", "flat") for i in range(10)]
    var = pd.DataFrame({"gene_name": names}, index=[f"G{i}.1" for i in range(30)])
    return families, anndata.AnnData(counts, pd.DataFrame(index=POOLS), var)


SETS = {
    "rising": [f"UP{i}" for i in range(6)],
    "rising too": [f"G{i}" for i in range(3, 9)],
    "falling": [f"down{i}" for i in range(5)] + ["unheard of"],
    "flat": [f"flat{i}" for i in range(5)],
    "small": ["up1", "up2"],
    "large": [f"up{i}" for i in range(10)],
}


def test_gmt_is_read(tmp_path):
    (tmp_path / "s.gmt").write_text("A\thttp\tg1\tg2\tg1\n\nB b\t\tg3\t\n")
    assert read_gmt(tmp_path / "s.gmt") == {"A": ["g1", "g2"], "B b": ["g3"]}


@pytest.mark.parametrize(
    "text, found",
    [
        ("", "the file is empty"),
        ("\n", "no gene set in it"),
        ("A,x,g1\n", r"line 1: no gene set.*this one has 1 such"),
        ("A\tx\n", "line 1: no gene set"),
        ("A\tx\tg\nA\tx\tg\n", "line 2: the set 'A' occurs twice"),
    ],
)
def test_bad_gmt_is_explained(tmp_path, text, found):
    (tmp_path / "s.gmt").write_text(text)
    with pytest.raises(InputError, match=found):
        read_gmt(tmp_path / "s.gmt")


def test_missing_and_broken_gmt_are_explained(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_gmt(tmp_path / "none.gmt")
    (tmp_path / "s.gmt").write_bytes(gzip.compress(b"A\tx\tg\n")[:-9])
    with pytest.raises(InputError, match="cut short"):
        read_gmt(tmp_path / "s.gmt")


def test_other_identifiers_are_explained():
    _, counts = made()
    with pytest.raises(InputError, match=r"0 of its 2 genes \(ENSG1, ENSG2.*up0, up1"):
        match_sets({"x": ["ENSG1", "ENSG2"]}, counts.var)


def test_mean_expression_by_hand():
    families, counts = made()
    rows = {"a": np.array([0, 20]), "b": np.array([20])}
    table = mean_expression(counts, families.obs_names[::-1], rows)
    assert table.index.tolist() == POOLS[::-1]
    dense = counts.X.toarray()
    assert table.loc["pool3", "a"] == pytest.approx((np.log10(1 + dense[3, 0]) + np.log10(8)) / 2)
    assert table["b"].to_numpy() == pytest.approx(np.log10(8))


def test_sets_correlate_with_their_family():
    families, counts = made()
    table = correlate_sets(families, counts, SETS, max_size=9, n_clusters=2).set_index("term")
    assert sorted(table.index) == ["falling", "flat", "rising", "rising too"]
    assert table.loc["rising", "UP/A"] == 1 and table.loc["falling", "DOWN/B"] == 1
    assert table.loc["falling", ["size", "found"]].tolist() == [6, 5]
    assert table.loc["rising", "cluster"] == table.loc["rising too", "cluster"]
    assert table.loc["rising", "cluster"] != table.loc["falling", "cluster"]
    assert np.isnan(table.loc["flat", "UP/A"])
    assert table["cluster"].is_monotonic_increasing


def test_top_sets_are_those_of_highest_correlation():
    families, counts = made()
    table = correlate_sets(families, counts, SETS, max_size=9, n_top=3)
    assert sorted(table["term"]) == ["falling", "rising", "rising too"]


def test_no_set_of_fitting_size_is_explained():
    families, counts = made()
    with pytest.raises(InputError, match="none of its 6 sets has at most 1 genes"):
        correlate_sets(families, counts, SETS, max_size=1)


def test_markers_gene_by_gene_and_their_mean():
    families, counts = made()
    table = correlate_markers(families, counts, {"growth": ["Up1", "nowhere", "down1"]})
    assert table["gene"].tolist() == ["Up1", "nowhere", "down1", "mean"]
    assert table["found"].tolist() == [1, 0, 1, 2]
    assert table["UP/A"].tolist()[:3] == [1, pytest.approx(np.nan, nan_ok=True), -1]
    dense = np.log10(1 + counts.X.toarray())
    expected = stats.spearmanr(dense[:, 1] + dense[:, 11], np.arange(8)).statistic
    assert table["UP/A"][3] == pytest.approx(expected)


def test_marker_lists_that_are_not_there_are_all_named():
    families, counts = made()
    with pytest.raises(InputError, match=r"(?s)2 problems.*'a' \(x\).*'b' \(y, z\)"):
        correlate_markers(families, counts, {"a": ["x"], "b": ["y", "z"], "c": ["up1"]})


@needs_gmt
def test_yeast_gene_sets_are_read():
    sets = read_gmt(GMT)
    assert len(sets) == 101 and min(map(len, sets.values())) > 0
