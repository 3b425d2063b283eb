import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from cisgrammar.data.features import kmer_counts
from cisgrammar.evaluate.baselines import FoldData, predict
from cisgrammar.models.kmer_features import (
    COMBINATION,
    MAX_COLUMNS,
    MAX_SIDE,
    KmerFeatures,
    candidates,
    choose_features,
)


@pytest.fixture(scope="module")
def planted():
    """Sequences with GATTACA planted early or late: only early ones raise the target."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (400, 100), dtype=np.uint8)
    early = rng.random(400) < 0.5
    for row, is_early in zip(codes, early, strict=True):
        start = rng.integers(0, 40) + (0 if is_early else 50)
        row[start : start + 7] = [2, 0, 3, 3, 0, 1, 0]
    target = early[:, None] + rng.normal(0, 0.1, (400, 1))
    return FoldData(codes, target.astype(np.float32), *np.split(rng.permutation(400), [250, 320]))


def test_a_motif_that_counts_where_it_is_asks_for_bins(planted):
    observed = planted.targets[planted.test]
    whole, binned, chosen = (
        np.corrcoef(predict("kmer_ridge", planted, bins=n).ravel(), observed.ravel())[0, 1]
        for n in (1, 5, None)
    )
    assert binned > whole + 0.3
    assert chosen > whole + 0.3


def test_the_choice_is_made_on_training_and_validation_rows(planted):
    rows = (planted.train, planted.validation)
    targets = planted.targets.copy()
    targets[planted.test] = np.nan
    with threadpool_limits(1):
        chosen = choose_features(planted.codes, planted.targets, *rows)
        blind = choose_features(planted.codes, targets, *rows)
    assert chosen.blocks[-1][1] > 1
    assert blind == chosen


def test_the_choice_is_logged(planted, caplog):
    caplog.set_level("INFO")
    predict("kmer_ridge", planted, k=3, bins=1)
    assert "3-mers in 1 bin, both strands: mean squared error" in caplog.text
    assert "the best of 2 on validation" in caplog.text


@pytest.mark.parametrize("both_strands", [True, False])
def test_columns_are_log_counts_block_by_block(planted, both_strands):
    features = KmerFeatures(((4, 1), (3, 5)), both_strands)
    x = features.of(planted.codes).toarray()
    assert x.shape == (400, features.n_columns)
    four = kmer_counts(planted.codes, 4, both_strands).toarray()
    three = kmer_counts(planted.codes, 3, both_strands, 5).toarray()
    assert x == pytest.approx(np.log1p(np.hstack([four, three])))


def test_the_grid_is_small_and_bounded():
    small, large = (candidates(1000, n) for n in (2000, 20_000))
    assert len(small) == len(set(small)) == 21
    assert COMBINATION in small and COMBINATION in large
    assert max(f.n_columns for f in small) <= MAX_COLUMNS
    assert max(f.n_columns for f in large) <= MAX_SIDE
    assert set(large) < set(small)


def test_short_windows_have_no_bins():
    assert all(f.blocks[0][1] == 1 and len(f.blocks) == 1 for f in candidates(60, 1000))
    assert {b for f in candidates(150, 1000) for _, b in f.blocks} == {1, 5}


@pytest.mark.parametrize(
    "fixed, blocks",
    [
        ({"k": 4, "bins": 1}, {((4, 1),)}),
        ({"k": 8}, {((8, 1),)}),  # too large, but asked for
        ({"k": 6, "bins": 5}, {((6, 5),)}),
        ({"k": 5}, {((5, 1),), ((5, 5),), ((5, 10),)}),
    ],
)
def test_what_is_fixed_is_kept(fixed, blocks):
    grid = candidates(1000, 2000, **fixed)
    assert {features.blocks for features in grid} == blocks
    assert {f.both_strands for f in candidates(1000, 2000, both_strands=False)} == {False}
