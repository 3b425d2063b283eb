import pandas as pd

from cisgrammar.common.inputs import time_limit
from cisgrammar.genome.gene_peaks import as_matrix, promoter_peaks

PEAKS = pd.DataFrame(
    {
        "chrom": ["chr1", "chr1", "chr1", "chr2"],
        "start": [100, 3100, 3101, 1000],
        "end": [200, 3300, 3300, 1100],
    },
    index=list("abcd"),
)
TSS = pd.DataFrame(
    {
        "gene_id": ["g1", "g2", "g3", "g4"],
        "gene_name": ["A", "B", "C", "D"],
        "chrom": ["chr1", "chr2", "chr3", "chr1"],
        "tss": [1100, 1000, 0, 2200],
    }
)


def test_promoter_peaks_by_hand():
    """A peak at most 2,000 bp from the TSS counts, one base further does not."""
    table = promoter_peaks(PEAKS, TSS)
    pairs = list(zip(table["gene"], table["peak"], strict=True))
    assert pairs == [("g1", "a"), ("g1", "b"), ("g2", "d"), ("g4", "b"), ("g4", "c")]
    assert table.columns.tolist() == ["gene", "gene_name", "chrom", "tss", "peak"]


def test_shares_average_the_peaks_of_a_gene():
    genes, shares = as_matrix(promoter_peaks(PEAKS, TSS), PEAKS.index)
    assert genes.index.tolist() == ["g1", "g2", "g4"]
    assert genes["n_peaks"].tolist() == [2, 1, 2]
    assert shares.toarray().tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0, 1], [0, 0.5, 0.5, 0]]


def test_no_gene_is_an_empty_table():
    genes, shares = as_matrix(promoter_peaks(PEAKS, TSS[:0]), PEAKS.index)
    assert genes.empty and shares.shape == (0, 4)


def test_thirty_thousand_scaffolds_take_no_longer_each():
    names = [f"scaffold{i}" for i in range(30_000)]
    peaks = pd.DataFrame({"chrom": names, "start": 100, "end": 900}, index=names)
    tss = pd.DataFrame({"gene_id": names, "gene_name": names, "chrom": names, "tss": 500})
    with time_limit(30, "too slow"):
        table = promoter_peaks(peaks, tss)
    assert table["peak"].tolist() == names
