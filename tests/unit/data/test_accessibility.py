import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from cisgrammar.common.errors import InputError
from cisgrammar.data.accessibility import prepare_counts


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
