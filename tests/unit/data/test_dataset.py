import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cisgrammar.common.errors import InputError
from cisgrammar.data.dataset import build_dataset, gene_filter

PAPER = {"min_detected": 0.05, "weak_detected": 0.16, "min_mean": 3}


def gene(n_detected, count, n_pools=100):
    column = np.zeros(n_pools)
    column[:n_detected] = count
    return column


@pytest.mark.parametrize(
    "n_detected, count, kept",
    [
        (4, 1000, False),  # "excluding genes that were expressed in < 5% of pools"
        (5, 1000, True),
        (15, 1, False),  # "< 16% ... only retained if the mean ... was higher than log10(3)"
        (15, 2, False),  # log10(1 + 2) is not higher than log10(3)
        (15, 3, True),
        (16, 1, True),
        (100, 1, True),
        (0, 0, False),
    ],
)
def test_gene_filter_by_the_papers_numbers(n_detected, count, kept):
    pooled = sp.csr_matrix(gene(n_detected, count)[:, None])
    assert gene_filter(pooled, **PAPER).tolist() == [kept]


def test_mean_is_of_logarithms_where_there_is_something():
    column = gene(2, 9, 20)  # 10%; log10(10) = 1 twice
    column[0] = 99  # log10(100) = 2: mean 1.5
    pooled = sp.csr_matrix(column[:, None])
    for min_mean, kept in ((10**1.49, True), (10**1.51, False)):
        assert gene_filter(pooled, **{**PAPER, "min_mean": min_mean}).tolist() == [kept]


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 9), st.integers(1, 5)), elements=st.integers(0, 4)
    ),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(1, 6),
)
def test_sparse_filter_equals_dense_one(counts, low, high, min_mean):
    pooled = sp.csr_matrix(counts)
    found = gene_filter(pooled, min_detected=low, weak_detected=high, min_mean=min_mean)
    assert (pooled.toarray() == counts).all()
    for column, kept in zip(counts.T, found, strict=True):
        share = (column > 0).mean()
        mean = np.log10(1 + column[column > 0].astype(float)).mean() if share else 0
        if abs(mean - np.log10(min_mean)) > 1e-6:
            assert kept == (share >= low and (share >= high or mean > np.log10(min_mean)))


def test_stored_zeros_are_no_detection_and_stay():
    pooled = sp.csc_matrix(gene(50, 1)[:, None])
    pooled.data[:] = 0
    assert gene_filter(pooled, **PAPER).tolist() == [False]
    assert pooled.nnz == 50


def pools_and_regions():
    counts = sp.csr_matrix(np.array([[0, 9, 99, 1], [3, 0, 0, 7]], dtype=np.float32))
    obs = pd.DataFrame({"cell_type": ["a", "b"]}, index=["pool0", "pool1"])
    pools = ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=["G0", "G1", "G2", "G3"]))
    pools.obsm["X_umap"] = np.array([[1.0, 2], [3, 4]])
    regions = pd.DataFrame(
        {
            "gene_name": ["c", "a", "b"],
            "chrom": ["1", "1", "2"],
            "start": [5, 0, 9],
            "end": [8, 3, 12],
            "strand": ["+", "-", "+"],
        },
        index=["G2", "G0", "G1"],
    )
    codes = np.array([[2, 2, 2], [0, 0, 0], [1, 1, 4]], dtype=np.uint8)
    return pools, regions, codes


def test_targets_and_codes_belong_to_their_genes():
    pools, regions, codes = pools_and_regions()
    data = build_dataset(pools, regions, codes, np.array([True, False, True]))
    assert data.var_names.tolist() == ["G2", "G1"]
    assert data.obs_names.tolist() == ["pool0", "pool1"]
    np.testing.assert_allclose(data.X, [[2, 1], [0, 0]], rtol=1e-6)
    assert data.X.dtype == np.float32
    assert data.varm["codes"].tolist() == [[2, 2, 2], [1, 1, 4]]
    assert data.varm["codes"].dtype == np.uint8
    assert data.var["start"].tolist() == [5, 9]
    assert data.obsm["X_umap"].tolist() == [[1, 2], [3, 4]]


def test_dataset_survives_the_disk(tmp_path):
    data = build_dataset(*pools_and_regions(), np.ones(3, dtype=bool))
    data.write_h5ad(tmp_path / "dataset.h5ad")
    again = ad.read_h5ad(tmp_path / "dataset.h5ad")
    assert again.varm["codes"].dtype == np.uint8
    assert again.varm["codes"].tolist() == data.varm["codes"].tolist()
    assert again.X.tolist() == data.X.tolist()


def test_nothing_left():
    with pytest.raises(InputError, match=r"none of 3 sequences is left.*`dataset`"):
        build_dataset(*pools_and_regions(), np.zeros(3, dtype=bool))
