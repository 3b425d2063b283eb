import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from cisgrammar.common.errors import InputError
from cisgrammar.data.accessibility import (
    batch_numbers,
    prepare_counts,
    shuffle_within_cells,
    thin,
)


def counts(rows):
    return AnnData(sparse.csr_matrix(np.array(rows, dtype=np.float32)))


def test_counts_above_one_are_open_and_counted():
    kept, steps = prepare_counts(counts([[2, 0, 1], [5, 1, 0]]), 0)
    assert kept.X.toarray().tolist() == [[1, 0, 1], [1, 1, 0]]
    assert kept.X.format == "csr" and kept.X.dtype == np.uint8
    assert dict(steps)["counts above 1, taken for 1"] == 2


def test_closed_peaks_and_empty_cells_are_dropped_and_counted():
    given = counts([[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    kept, steps = prepare_counts(given, 0.3)
    assert kept.obs_names.tolist() == ["0", "2"] and kept.var_names.tolist() == ["0"]
    assert [number for _, number in steps] == [0, 1, 2, 2]


def test_stored_zeros_are_closed():
    given = counts([[1, 1], [1, 1]])
    given.X.data[1] = 0
    assert prepare_counts(given, 0.6)[0].var_names.tolist() == ["0"]


@pytest.mark.parametrize(
    "rows, min_share, message",
    [
        ([[0, 0], [0, 0]], 0, "of 2 cells and 2 peaks none is left"),
        ([[1, 0], [0, 1]], 0.9, "open in 50.00% of them"),
        ([[1, -1], [0, 1]], 0, "1 counts are below 0"),
    ],
)
def test_what_leaves_nothing_is_said(rows, min_share, message):
    with pytest.raises(InputError, match=message):
        prepare_counts(counts(rows), min_share)


def test_batches_are_numbered_by_name():
    assert batch_numbers(pd.Series(["b", "a", "b"])).tolist() == [1, 0, 1]


def test_one_batch_cannot_be_corrected():
    with pytest.raises(InputError, match=r"all 3 cells are of one batch \(a\)"):
        batch_numbers(pd.Series(["a"] * 3))


def test_shuffled_labels_keep_each_cells_number():
    given = sparse.random(40, 50, 0.2, format="csr", random_state=1)
    given.data[:] = 1
    one, same, other = (shuffle_within_cells(given, seed) for seed in (1, 1, 2))
    assert (np.diff(one.indptr) == np.diff(given.indptr)).all()
    assert (one != same).nnz == 0 and (one != other).nnz > 0
    assert one.has_canonical_format and (one != given).nnz > 0


def test_thinning_keeps_a_share():
    given = sparse.csr_matrix(np.full((50, 40), 3))
    thinned = thin(given, 0.25, 1)
    assert thinned.sum() / given.sum() == pytest.approx(0.25, abs=0.02)
    assert (given.data == 3).all() and thinned.data.all()
