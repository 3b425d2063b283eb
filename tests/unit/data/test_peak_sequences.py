import logging

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from cisgrammar.common.errors import InputError
from cisgrammar.data.accessibility import build_accessibility
from cisgrammar.data.peak_sequences import padded_codes
from cisgrammar.genome.sequence import decode
from cisgrammar.genome.windows import centred_windows


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


def given(rows, chroms, starts):
    names = [str(i) for i in range(len(starts))]
    places = {"chrom": pd.Categorical(chroms), "start": starts, "end": np.add(starts, 2)}
    counts = sparse.csr_matrix(np.array(rows, dtype=np.float32))
    return AnnData(counts, var=pd.DataFrame(places, index=names))


def test_counts_become_accessibility_with_sequences_and_every_step_is_counted(fasta, tmp_path):
    rows = [[1, 3, 0, 1, 1], [1, 1, 0, 1, 0], [0, 0, 0, 0, 1]]
    chroms, starts = ["1", "1", "1", "2", "7"], [4, 0, 6, 2, 3]
    blacklist = pd.DataFrame({"chrom": ["chr1"], "start": [8], "end": [10]})
    made, steps = build_accessibility(
        given(rows, chroms, starts), fasta, tmp_path, length=4, min_share=0.5, blacklist=blacklist
    )
    assert made.X.toarray().tolist() == [[1, 1, 1], [1, 1, 1]]
    assert made.var_names.tolist() == ["0", "1", "3"]
    assert made.var["chrom"].tolist() == ["chr1", "chr1", "chr2"]
    assert made.var["start"].tolist() == [4, 0, 2]  # of the peak, not of the window
    assert [decode(row) for row in made.varm["codes"]] == ["TACG", "NACG", "GGTT"]
    assert dict(steps.to_numpy()) == {
        "peaks in the counts": 5,
        "cells in the counts": 3,
        "peaks dropped: chromosome not in the FASTA": 1,
        "peaks dropped: blacklisted": 1,
        "counts above 1, taken for 1": 1,
        "peaks dropped: open in no cell": 0,
        "peaks dropped: open in too few cells": 0,
        "cells dropped: no peak that is kept is open": 1,
        "peaks": 3,
        "cells": 2,
        "windows padded with N: beyond a chromosome's end": 1,
    }


def test_a_fasta_of_other_chromosomes_is_refused(fasta, tmp_path):
    with pytest.raises(InputError, match="of 2 peaks none is on a chromosome that it has"):
        build_accessibility(
            given([[1, 1]], ["X", "Y"], [1, 2]), fasta, tmp_path, length=4, min_share=0
        )
