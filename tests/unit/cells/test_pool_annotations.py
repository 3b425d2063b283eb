import anndata
import numpy as np
import pandas as pd
import pytest

from cisgrammar.cells.pool_annotations import (
    annotate_pools,
    correlate_annotations,
    diffusion_pseudotime,
    pool_annotation,
)
from cisgrammar.common.errors import InputError
from cisgrammar.common.notes import Notes

POOLS = ["a", "b", "c", "d", "e"]


def members():
    """Six cells a pool: cells 0-5 in a, 6-11 in b, ..."""
    cells = [f"cell{i}" for i in range(30)]
    return pd.DataFrame({"pool": np.repeat(POOLS, 6), "cell": cells})


def annotated(values):
    return pd.DataFrame(
        {"time": values, "label": "x"}, index=[f"cell{i}" for i in range(len(values))]
    )


def test_pools_with_enough_cells_are_averaged_and_scaled():
    values = np.repeat([10.0, 20, 30, 40, 50], 6)
    values[0] = np.nan  # 5 of 6 cells of a: just enough for 100 / 120
    values[24:26] = np.nan  # 4 of 6 cells of e: too few
    values[6] = np.inf  # not a number either: 5 of 6 of b
    scaled = pool_annotation(annotated(values), "time", members(), POOLS)
    assert scaled.tolist()[:4] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert np.isnan(scaled["e"])
    easier = pool_annotation(annotated(values), "time", members(), POOLS, min_share=0.5)
    assert easier["e"] == 1


def test_constant_annotation_is_zero():
    scaled = pool_annotation(annotated(np.ones(30)), "time", members(), POOLS)
    assert (scaled == 0).all()


@pytest.mark.parametrize(
    "column, found",
    [
        ("age", "'age': is not there. The numeric columns of the cells are time"),
        ("label", "'label': is not numeric"),
        ("time", r"12 of 30 cells have a value, and 2 of 5 pools .* 83% .*fullest for 100%"),
    ],
)
def test_unusable_annotations_are_explained(column, found):
    values = np.full(30, np.nan)
    values[:12] = 1
    with pytest.raises(InputError, match=found):
        pool_annotation(annotated(values), column, members(), POOLS)


def test_annotations_that_cannot_be_pooled_are_noted():
    values = np.repeat([10.0, 20, 30, 40, 50], 6)
    cells = anndata.AnnData(obs=annotated(values))
    notes = Notes()
    table = annotate_pools(
        cells,
        members(),
        pd.Index(POOLS),
        columns=["age", "time"],
        min_share=0.5,
        pseudotime=None,
        seed=1,
        notes=notes,
    )
    assert table.columns.tolist() == ["time"]
    assert table["time"].tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert notes.table()["about"].tolist() == ["annotations"]


def test_annotation_correlates_over_the_pools_that_have_it():
    influence = np.array([[1.0, 5], [2, 4], [3, 3], [4, 2], [99, 99]])
    families = anndata.AnnData(
        influence, pd.DataFrame(index=POOLS), pd.DataFrame(index=["UP", "DOWN"])
    )
    annotations = pd.DataFrame({"time": [0, 0.1, 0.2, 1, np.nan]}, index=POOLS)
    table = correlate_annotations(families, annotations)
    assert table["rho"].tolist() == [1, -1] and table["n_pools"].tolist() == [4, 4]
    assert table[["annotation", "family"]].to_numpy().tolist() == [["time", "UP"], ["time", "DOWN"]]


@pytest.fixture(scope="module")
def trajectory():
    """Cells along a line, in three types; the fourth type lies aside."""
    rng = np.random.default_rng(0)
    where = np.sort(rng.random(120)) * 20
    line = np.stack([where, np.zeros(120), np.zeros(120)], axis=1) + rng.normal(0, 0.2, (120, 3))
    aside = rng.normal(0, 0.2, (40, 3)) + np.array([0, 50, 0])
    types = np.repeat(["start", "middle", "end", "aside"], 40)
    cells = anndata.AnnData(
        obs=pd.DataFrame({"cell_type": types}, index=[f"cell{i}" for i in range(160)])
    )
    cells.obsm["X_pca"] = np.vstack([line, aside])
    return cells


def test_pseudotime_orders_a_line(trajectory):
    types = ["start", "middle", "end"]
    time = diffusion_pseudotime(trajectory, "start", within=types)
    assert time.index.equals(trajectory.obs_names)
    assert time[120:].isna().all() and time[:120].notna().all()
    means = time[:120].groupby(trajectory.obs["cell_type"][:120].astype(str)).mean()
    assert means["start"] < means["middle"] < means["end"]
    assert time.equals(diffusion_pseudotime(trajectory, "start", within=types))


def test_unknown_root_is_explained(trajectory):
    with pytest.raises(InputError, match=r"(?s)2 problems.*'begin' is no cell_type.*'x'"):
        diffusion_pseudotime(trajectory, "begin", within=["x", "end"])
