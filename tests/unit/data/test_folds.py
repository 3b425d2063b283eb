import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import write_table
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION, read_folds, rows_of


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


PLACES = pd.DataFrame(
    {"chrom": ["chr1"] * 6 + ["chr2"] * 3 + ["chrX"] * 4}, index=[f"s{i}" for i in range(13)]
)
NAMED = {"n_folds": 1, "validation": 0.3, "by": "chromosome", "seed": 1}


@pytest.mark.parametrize("by", ["random", "chromosome"])
def test_named_chromosomes_make_one_fold(by):
    settings = {**NAMED, "by": by}
    folds = split_folds(
        PLACES, **settings, test_chromosomes=["chr2"], validation_chromosomes=["chrX"]
    )
    assert folds.columns.tolist() == ["sequence", "chrom", "fold0"]
    parts = {"chr1": "train", "chr2": "test", "chrX": "validation"}
    assert folds["fold0"].tolist() == [parts[chrom] for chrom in PLACES["chrom"]]


@pytest.mark.parametrize("by, n_validation", [("random", {3}), ("chromosome", {4, 6})])
def test_validation_is_drawn_where_its_chromosomes_are_not_named(by, n_validation):
    folds = split_folds(PLACES, **{**NAMED, "by": by}, test_chromosomes=["chr2"])
    sizes = folds["fold0"].value_counts()
    assert sizes["test"] == 3
    assert (folds.loc[folds["chrom"] == "chr2", "fold0"] == "test").all()
    assert sizes["validation"] in n_validation
    assert sizes.sum() == 13 and sizes["train"] == 10 - sizes["validation"]


@pytest.mark.parametrize(
    "test, validation, message",
    [
        (["2"], None, "no sequence is on 2 .*test_chromosomes.*chr1, chr2, chrX"),
        (["chr2"], ["chrY"], "no sequence is on chrY .*validation_chromosomes"),
        (["chr2"], ["chr2"], "chr2 cannot test and validate"),
        (["chr1", "chr2"], ["chrX"], "leave only 0 of 13"),
        (["chr1", "chr2"], None, "leave only 4 of 13.*by: random"),
    ],
)
def test_named_chromosomes_that_do_not_do(test, validation, message):
    with pytest.raises(InputError, match=message):
        split_folds(PLACES, **NAMED, test_chromosomes=test, validation_chromosomes=validation)


def test_sequences_without_a_place_cannot_be_split_by_it():
    nowhere = PLACES.assign(chrom="unknown")
    with pytest.raises(InputError, match=r"given\.regions"):
        split_folds(nowhere, **NAMED, test_chromosomes=["chr2"])
    with pytest.raises(InputError, match="only 1 chromosomes"):
        split_folds(nowhere, **{**NAMED, "n_folds": 3})


@pytest.fixture
def written(tmp_path):
    folds = split_folds(sequences(["1"] * 20), n_folds=2, validation=0.2, by="random", seed=1)
    folds["sequence"] = [f"0{i}" for i in range(20)]  # names that look like numbers
    write_table(folds, tmp_path / "folds.tsv")
    return tmp_path / "folds.tsv", folds


def test_folds_are_read_as_written(written):
    path, folds = written
    assert read_folds(path, folds["sequence"]).equals(folds)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines[:11],
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0], *lines[:0:-1]],
        lambda lines: [line.replace("train", "trial") for line in lines],
        lambda lines: ["\t".join(line.split("\t")[:2]) + "\n" for line in lines],
    ],
    ids=["half", "last", "twice", "order", "word", "columns"],
)
def test_folds_that_do_not_cover_the_data_are_refused(written, spoil):
    path, folds = written
    path.write_text("".join(spoil(path.read_text().splitlines(True))))
    with pytest.raises(InputError, match=r"folds\.tsv: .*Delete it and run again"):
        read_folds(path, folds["sequence"])
