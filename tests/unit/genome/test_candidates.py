import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.common.errors import InputError
from cisgrammar.genome.candidates import Candidates, find_candidates

CHROMS = st.sampled_from(["chr1", "chr2", "01"])
PEAKS = st.lists(st.tuples(CHROMS, st.integers(0, 900), st.integers(1, 60)), max_size=25)
GENES = st.lists(st.tuples(CHROMS, st.integers(0, 1000)), min_size=1, max_size=12)


def tables(peaks, genes):
    places = [(chrom, start, start + width) for chrom, start, width in peaks]
    names = [f"p{i}" for i in range(len(places))]
    rows = [(f"g{i}", f"G{i}", chrom, site, "+") for i, (chrom, site) in enumerate(genes)]
    return (
        pd.DataFrame(places, index=names, columns=["chrom", "start", "end"]),
        pd.DataFrame(rows, columns=["gene_id", "gene_name", "chrom", "tss", "strand"]),
    )


def by_hand(peaks, genes, reach, promoter_reach):
    """Compare every gene with every peak."""
    middles = [(chrom, (2 * start + width) // 2) for chrom, start, width in peaks]
    found = {}
    for number, (chrom, site) in enumerate(genes):
        near = [
            (abs(middle - site), middle, row)
            for row, (its, middle) in enumerate(middles)
            if its == chrom and abs(middle - site) <= promoter_reach
        ]
        if not near:
            continue
        promoter = min(near)[2]
        others = {
            row: middle - site
            for row, (its, middle) in enumerate(middles)
            if its == chrom and abs(middle - site) <= reach and row != promoter
        }
        if others:
            found[f"g{number}"] = promoter, others
    return found


@given(PEAKS, GENES, st.integers(50, 400), st.integers(0, 50))
def test_candidates_are_those_of_a_comparison_of_all_with_all(peaks, genes, reach, near):
    expected = by_hand(peaks, genes, reach, near)
    arguments = {"reach": reach, "promoter_reach": near}
    if not expected:
        with pytest.raises(InputError, match="none has a peak at its promoter"):
            find_candidates(*tables(peaks, genes), **arguments)
        return
    found, left_out, steps = find_candidates(*tables(peaks, genes), **arguments)
    assert list(found.genes["gene"]) == list(expected)
    assert set(left_out["gene"]) == {f"g{i}" for i in range(len(genes))} - set(expected)
    for i, (promoter, others) in enumerate(expected.values()):
        its = found.of_gene(i)
        assert found.genes["promoter"][i] == promoter
        assert dict(zip(found.peaks[its], found.distances[its], strict=True)) == others
        assert (np.diff(found.distances[its]) >= 0).all()
    assert dict(steps.to_numpy())["pairs of gene and candidate"] == len(found.peaks)


def test_each_gene_without_candidates_is_listed_with_its_reason():
    peaks, genes = tables(
        [("chr1", 90, 20), ("chr1", 190, 20), ("chr2", 90, 20)],
        [("chr1", 100), ("chr1", 150), ("chr2", 100), ("chr3", 100)],
    )
    found, left_out, steps = find_candidates(peaks, genes, reach=200, promoter_reach=10)
    assert list(found.genes["gene"]) == ["g0"]
    assert dict(zip(left_out["gene"], left_out["reason"], strict=True)) == {
        "g1": "no peak at the promoter",
        "g2": "no other peak within reach",
        "g3": "no peak on the chromosome",
    }
    assert dict(steps.to_numpy())["genes left out: no peak at the promoter"] == 1


def test_tables_give_the_candidates_back():
    peaks, genes = tables(
        [("chr1", 90, 20), ("chr1", 190, 20), ("chr1", 400, 20)], [("chr1", 100), ("chr1", 200)]
    )
    found, _, _ = find_candidates(peaks, genes, reach=350, promoter_reach=20)
    written = found.gene_table(peaks.index)
    again = Candidates.of_tables(written, found.table(peaks.index), peaks.index)
    assert (again.indptr == found.indptr).all()
    assert (again.peaks == found.peaks).all()
    assert (again.distances == found.distances).all()
    assert (again.genes["promoter"] == found.genes["promoter"]).all()
    with pytest.raises(InputError, match="made of other data"):
        Candidates.of_tables(written, found.table(peaks.index), peaks.index[:1])
