import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cisgrammar.cells.pooling import (
    make_pools,
    most_frequent,
    nearest_cells,
    pool_counts,
    sketch_seeds,
)
from cisgrammar.common.errors import InputError


@given(st.integers(1, 40), st.integers(0, 2**31), st.booleans())
def test_seeds_are_distinct_sorted_and_repeatable(n_seeds, seed, clumped):
    points = np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32)
    if clumped:
        points[:30] = 0
    before = points.copy()
    seeds = sketch_seeds(points, n_seeds, seed)
    assert len(set(seeds)) == n_seeds
    assert (np.diff(seeds) > 0).all()
    assert seeds.tolist() == sketch_seeds(points, n_seeds, seed).tolist()
    assert (points == before).all()


def test_rare_states_are_sketched():
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.normal(0, 1, (990, 2)), rng.normal(30, 1, (10, 2))])
    seeds = sketch_seeds(points, 50, seed=1)
    assert (seeds >= 990).sum() >= 3  # drawn blindly it would be 0.5


def test_more_seeds_than_cells():
    with pytest.raises(InputError, match=r"5 pools .* only 4 cells.*`pools\.n_pools`"):
        sketch_seeds(np.zeros((4, 2)), 5, seed=1)


def test_nearest_by_hand():
    line = np.array([[0.0], [10], [11], [13], [16]])
    assert nearest_cells(line, np.array([2, 4]), 3).tolist() == [[2, 1, 3], [4, 3, 2]]


def test_ties_go_by_row_with_the_seed_first():
    same = np.zeros((6, 3))
    assert nearest_cells(same, np.array([4, 0]), 3).tolist() == [[4, 0, 1], [0, 1, 2]]
    line = np.array([[2.0], [1], [3], [1], [3], [0]])
    assert nearest_cells(line, np.array([0]), 3).tolist() == [[0, 1, 2]]


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(2, 30), st.integers(1, 4)),
        elements=st.integers(-3, 3).map(lambda x: x / 8 + 100),  # many ties, far from 0
    ),
    st.data(),
)
def test_neighbours_are_exact(points, data):
    size = data.draw(st.integers(1, len(points)))
    seeds = np.array(data.draw(st.permutations(range(len(points)))))[:3]
    for seed, found in zip(seeds, nearest_cells(points, seeds, size), strict=True):
        distance = ((points.astype(float) - points[seed]) ** 2).sum(axis=1)
        distance[seed] = -1
        assert found.tolist() == np.argsort(distance, kind="stable")[:size].tolist()


def test_pools_larger_than_the_data():
    with pytest.raises(InputError, match=r"pool of 5 cells .* only 4.*`pools\.cells_per_pool`"):
        nearest_cells(np.zeros((4, 2)), np.array([0]), 5)


@given(
    hnp.arrays(
        np.int64, st.tuples(st.integers(1, 8), st.integers(1, 6)), elements=st.integers(0, 9)
    ),
    st.sampled_from([np.float32, np.float64, np.int32]),
    st.data(),
)
def test_sparse_sums_equal_dense_ones(counts, kind, data):
    size = data.draw(st.integers(1, len(counts)))
    members = np.array(
        data.draw(st.lists(st.permutations(range(len(counts))).map(lambda p: p[:size]), min_size=1))
    )
    pooled = pool_counts(sp.csr_matrix(counts.astype(kind)), members)
    assert sp.issparse(pooled)
    assert pooled.dtype == np.result_type(kind, np.float32)
    assert pooled.toarray().tolist() == counts[members].sum(axis=1).tolist()


def test_sums_of_small_integers_do_not_overflow():
    counts = sp.csr_matrix(np.full((3, 2), 200, dtype=np.uint8))
    assert pool_counts(counts, np.array([[0, 1, 2]])).toarray().tolist() == [[600, 600]]


@pytest.mark.parametrize(
    "labels, label, share",
    [(["a", "b", "b"], "b", 2 / 3), (["b", "a"], "a", 0.5), (["x"], "x", 1.0)],
)
def test_most_frequent_label(labels, label, share):
    assert most_frequent(np.array(labels)) == (label, share)


@pytest.fixture
def cells():
    """Give 12 cells on a line: 8 of type a, 4 of type b far off."""
    place = np.r_[np.arange(8), 100 + np.arange(4)].astype(np.float32)
    counts = sp.csr_matrix(np.eye(12, 5, dtype=np.float32) + 1)
    obs = pd.DataFrame(
        {"cell_type": ["a"] * 8 + ["b"] * 4, "batch": ["x", "y"] * 6},
        index=[f"c{i}" for i in range(12)],
    ).astype("category")
    data = ad.AnnData(counts, obs=obs)
    data.obsm["X_umap"] = np.c_[place, place]
    # the second component would order the cells otherwise: it is not to be used
    data.obsm["X_pca"] = np.c_[place, 1000 * np.random.default_rng(1).random(12)]
    return data


def test_pools_and_their_members_agree(cells):
    pools, members = make_pools(cells, n_pools=5, cells_per_pool=4, n_pcs=1, seed=3)
    assert pools.obs_names.tolist() == [f"pool{i}" for i in range(5)]
    assert pools.obs["n_cells"].tolist() == [4] * 5
    assert pools.shape == (5, 5)
    for name, rows in members.groupby("pool", sort=False):
        pool = pools.obs.loc[name]
        assert rows["rank"].tolist() == [0, 1, 2, 3]
        assert rows["cell"].iloc[0] == pool["seed"]
        assert rows["cell_type"].tolist() == cells.obs.loc[rows["cell"], "cell_type"].tolist()
        assert pool["purity"] == (rows["cell_type"] == pool["cell_type"]).mean()
        expected = cells[rows["cell"]].X.toarray().sum(axis=0)
        assert pools[name].X.toarray().ravel().tolist() == expected.tolist()
        seed = cells.obs_names.get_loc(pool["seed"])
        assert pools[name].obsm["X_umap"].ravel().tolist() == cells.obsm["X_umap"][seed].tolist()
    assert set(pools.obs["cell_type"]) == {"a", "b"}
    assert (pools.obs["purity"] == 1).all()


def test_pools_repeat_with_their_seed(cells):
    one, table = make_pools(cells, n_pools=4, cells_per_pool=3, n_pcs=1, seed=3)
    two, again = make_pools(cells, n_pools=4, cells_per_pool=3, n_pcs=1, seed=3)
    assert table.equals(again)
    assert one.obs.equals(two.obs)


def test_written_and_read_again(cells, tmp_path):
    pools, _ = make_pools(cells, n_pools=4, cells_per_pool=3, n_pcs=1, seed=3)
    pools.write_h5ad(tmp_path / "pools.h5ad")
    again = ad.read_h5ad(tmp_path / "pools.h5ad")
    assert again.obs["cell_type"].tolist() == pools.obs["cell_type"].tolist()
    assert again.X.toarray().tolist() == pools.X.toarray().tolist()
