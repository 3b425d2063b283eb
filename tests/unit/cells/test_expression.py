import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from cisgrammar.cells.expression import log_expression


def test_counts_per_ten_thousand_in_the_order_asked():
    counts = AnnData(
        sparse.csr_matrix(np.array([[1, 3], [0, 0], [5, 0]])),
        pd.DataFrame(index=["a", "b", "c"]),
    )
    found = log_expression(counts, pd.Index(["c", "a", "b"]))
    assert sparse.issparse(found)
    by_hand = np.log1p([[10_000, 0], [2500, 7500], [0, 0]])
    np.testing.assert_allclose(found.toarray(), by_hand, rtol=1e-6)


def test_a_cell_without_counts_is_an_error():
    counts = AnnData(sparse.csr_matrix(np.eye(2)), pd.DataFrame(index=["a", "b"]))
    with pytest.raises(ValueError, match="1 of 2 cells"):
        log_expression(counts, pd.Index(["a", "z"]))
