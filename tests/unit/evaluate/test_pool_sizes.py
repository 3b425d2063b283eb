import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from cisgrammar.evaluate.pool_sizes import relative_spread, try_pool_size


def test_relative_spread_by_hand():
    effect = np.array([[1, 3], [-1, 1], [0, 0], [-2, -2]], dtype=float)
    assert relative_spread(effect).tolist() == [0.5, 1, 0]  # without the filter of no effect


@pytest.fixture(scope="module")
def measured():
    rng = np.random.default_rng(0)
    values = rng.poisson(1, (6, 80)).astype(np.float32)
    obs = pd.DataFrame({"cell_type": list("AABBBB"), "purity": [1, 0.5, 1, 1, 1, 1]})
    var = pd.DataFrame({"chrom": "chr1"}, index=[f"gene{i}" for i in range(80)])
    data = AnnData(values, obs=obs.set_index(obs.index.astype(str)), var=var)
    data.varm["codes"] = rng.integers(0, 4, (80, 30), dtype=np.uint8)
    best = {"sigma_motifs": 0.3, "sigma_net": 0.3, "learning_rate": 0.01, "batch_size": 16}
    return data, try_pool_size(
        data,
        folds={"n_folds": 4, "validation": 0.2, "by": "random"},
        model="scover",
        settings={"filters": 5, "width": 4},
        hyperparameters=best | {"seed": 1, "order_seed": 2},
        training={"epochs": 2, "patience": 1},
        seed=1,
    ).set_index("measure")["value"]


def test_each_measure_has_its_values(measured):
    data, values = measured
    assert values["sparsity"].tolist() == pytest.approx((data.X == 0).mean(axis=1).tolist())
    assert values["purity"].tolist() == [1, 0.5, 1, 1, 1, 1]
    assert values["n_cell_types"] == 2
    assert 0 <= values["r2"] <= 1
    assert len(values["influence_cv"]) == 5 and (values["influence_cv"] >= 0).all()
