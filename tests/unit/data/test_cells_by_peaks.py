import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from cisgrammar.common.errors import InputError
from cisgrammar.data.cells_by_peaks import batch_numbers, shuffle_within_cells, thin


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
