import logging

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from cisgrammar.accessibility import (
    batch_numbers,
    centred_windows,
    padded_codes,
    prepare_counts,
    shuffle_within_cells,
    thin,
)
from cisgrammar.errors import InputError
from cisgrammar.sequence import decode


def counts(rows):
    return AnnData(sparse.csr_matrix(np.array(rows, dtype=np.float32)))


def test_counts_above_one_are_open_and_said_once(caplog):
    with caplog.at_level(logging.INFO):
        kept = prepare_counts(counts([[2, 0, 1], [5, 1, 0]]), min_cells=0)
    assert kept.X.toarray().tolist() == [[1, 0, 1], [1, 1, 0]]
    assert kept.X.format == "csr" and kept.X.dtype == np.uint8
    said = [message for message in caplog.messages if "above 1" in message]
    assert said == ["2 of 4 counts are above 1; they count as open, like the others"]


def test_closed_peaks_and_empty_cells_are_dropped_and_counted(caplog):
    given = counts([[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    with caplog.at_level(logging.INFO):
        kept = prepare_counts(given, min_cells=0.3)
    assert kept.obs_names.tolist() == ["0", "2"] and kept.var_names.tolist() == ["0"]
    assert "1 of 4 peaks are open in at least 0.3 of the cells, 1 in none; 2 of 4" in caplog.text


def test_stored_zeros_are_closed():
    given = counts([[1, 1], [1, 1]])
    given.X.data[1] = 0
    assert prepare_counts(given, min_cells=0.6).var_names.tolist() == ["0"]


@pytest.mark.parametrize(
    "rows, min_cells, message",
    [
        ([[0, 0], [0, 0]], 0, "of 2 cells and 2 peaks none is left"),
        ([[1, 0], [0, 1]], 0.9, "open in 50.00% of them"),
        ([[1, -1], [0, 1]], 0, "1 counts are below 0"),
    ],
)
def test_what_leaves_nothing_is_said(rows, min_cells, message):
    with pytest.raises(InputError, match=message):
        prepare_counts(counts(rows), min_cells=min_cells)


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_text(">chr1\nACGTACGTAC\n>chr2\nGGGTTT\n")
    return path


def test_windows_beyond_the_ends_are_padded_and_counted(fasta, tmp_path, caplog):
    peaks = pd.DataFrame(
        {"chrom": ["chr1", "chr1", "chr1", "chr2"], "start": [4, 0, 8, 2], "end": [6, 2, 10, 4]}
    )
    peaks["chrom"] = peaks["chrom"].astype("category")  # as read from a file
    windows = centred_windows(peaks, 6)
    with caplog.at_level(logging.INFO):
        codes, n_padded = padded_codes(windows, {"chr1": 10, "chr2": 6}, fasta, tmp_path)
    assert [decode(row) for row in codes] == ["GTACGT", "NNACGT", "GTACNN", "GGGTTT"]
    assert n_padded == 2
    assert "2 of 4 windows reach beyond the end of a chromosome" in caplog.text


def test_a_chromosome_shorter_than_the_window_is_padded_at_both_ends(fasta, tmp_path):
    peaks = pd.DataFrame({"chrom": ["chr2"], "start": [2], "end": [4]})
    codes, n_padded = padded_codes(centred_windows(peaks, 10), {"chr2": 6}, fasta, tmp_path)
    assert decode(codes[0]) == "NNGGGTTTNN" and n_padded == 1


@pytest.mark.parametrize("chrom, start", [("chr2", 6), ("chr9", 1)])
def test_peaks_of_another_assembly_are_refused(fasta, tmp_path, chrom, start):
    peaks = pd.DataFrame({"chrom": [chrom], "start": [start], "end": [start + 2]})
    with pytest.raises(InputError, match="the middle of 1 of 1 peaks is not in it"):
        padded_codes(centred_windows(peaks, 4), {"chr1": 10, "chr2": 6}, fasta, tmp_path)


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
