import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.errors import InputError
from cisgrammar.folds import TEST, TRAIN, VALIDATION, rows_of, split_folds


def sequences(chroms):
    return pd.DataFrame({"chrom": chroms}, index=[f"G{i}" for i in range(len(chroms))])


def test_sizes_are_the_papers():
    folds = split_folds(sequences(["1"] * 100), n_folds=10, validation=0.2, by="random", seed=1)
    assert folds.columns.tolist() == ["sequence", "chrom", *(f"fold{i}" for i in range(10))]
    for fold in range(10):
        counts = folds[f"fold{fold}"].value_counts()
        assert counts.to_dict() == {TRAIN: 72, VALIDATION: 18, TEST: 10}


@given(
    st.integers(2, 6), st.integers(15, 60), st.floats(0.05, 0.6), st.integers(0, 2**31), st.data()
)
def test_every_sequence_is_tested_once_and_every_part_filled(n_folds, n, share, seed, data):
    by = data.draw(st.sampled_from(["random", "chromosome"]))
    chroms = [f"chr{i % 12}" for i in range(n)]
    folds = split_folds(sequences(chroms), n_folds=n_folds, validation=share, by=by, seed=seed)
    parts = folds[[f"fold{i}" for i in range(n_folds)]]
    assert ((parts == TEST).sum(axis=1) == 1).all()
    for fold in parts:
        assert set(parts[fold]) == {TRAIN, VALIDATION, TEST}
        if by == "chromosome":
            assert folds.groupby("chrom")[fold].nunique().eq(1).all()
    assert folds["sequence"].tolist() == [f"G{i}" for i in range(n)]


def test_splits_are_shuffled_seeded_and_differ_between_folds():
    table = sequences(["1"] * 60)
    first, again, other = (
        split_folds(table, n_folds=3, validation=0.2, by="random", seed=seed) for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)
    assert rows_of(first, 0, TEST).tolist() != list(range(20))
    held = [set(rows_of(first, fold, VALIDATION)) for fold in range(3)]
    assert held[0] != held[1] != held[2]


@pytest.mark.parametrize(
    "n, chroms, n_folds, validation, by, remedy",
    [
        (5, 1, 6, 0.2, "random", "`folds.n_folds`"),
        (2, 1, 2, 0.2, "random", "`folds.n_folds`"),
        (40, 3, 4, 0.2, "chromosome", "`folds.by: random`"),
        (40, 3, 2, 0.2, "chromosome", "`folds.by: random`"),
        (40, 1, 2, 0.2, "chromosome", "`folds.by: random`"),
        (12, 1, 2, 0.99, "random", "`folds.validation`"),
        (0, 1, 2, 0.2, "random", "`folds.n_folds`"),
    ],
)
def test_too_few_to_fill_every_part(n, chroms, n_folds, validation, by, remedy):
    table = sequences([f"chr{i % chroms}" for i in range(n)])
    with pytest.raises(InputError) as raised:
        split_folds(table, n_folds=n_folds, validation=validation, by=by, seed=1)
    assert remedy in str(raised.value)


def test_rows_by_hand():
    folds = pd.DataFrame({"fold0": [TRAIN, TEST, TRAIN], "fold1": [TEST, TRAIN, VALIDATION]})
    assert rows_of(folds, 0, TRAIN).tolist() == [0, 2]
    assert rows_of(folds, 1, VALIDATION).tolist() == [2]
    assert rows_of(folds, 0, VALIDATION).dtype == np.int64
