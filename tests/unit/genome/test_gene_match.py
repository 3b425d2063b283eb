import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.common.errors import InputError
from cisgrammar.genome.gene_match import genes_of_counts, match_genes, with_gene_names

TSS = pd.DataFrame(
    {
        "gene_id": ["ENSG1.5", "ENSG2.1", "ENSG3.1", "ENSG4.1", "WB.1", "WB.2"],
        "gene_name": ["GATA1", "SPI1", "TWIN", "TWIN", "WB.1", "B"],
    }
)


@pytest.mark.parametrize(
    "genes, rows",
    [
        (["ENSG1.5", "ENSG2.1"], [0, 1]),
        (["ENSG1", "ENSG2.9"], [0, 1]),
        (["SPI1", "GATA1"], [1, 0]),
        (["ENSG1", "SPI1", "XIST"], [0, 1, -1]),
        (["TWIN"], [-1]),  # two genes have the name
        (["ENSG1.5", "GATA1"], [0, -1]),  # the annotation's gene is taken already
        (["ENSG1.1", "ENSG1.2"], [-1, -1]),  # which of them?
        (["WB.1", "WB.2"], [4, 5]),
        (["gata1"], [-1]),  # another species
        ([], []),
    ],
)
def test_match_genes(genes, rows):
    match = match_genes(genes, TSS)
    assert match.rows.tolist() == rows
    assert sum(match.ways.values()) == sum(row >= 0 for row in rows)


@settings(deadline=None)
@given(st.lists(st.sampled_from([*TSS["gene_id"], *TSS["gene_name"], "x", "ENSG1"]), unique=True))
def test_match_genes_never_uses_a_gene_twice(genes):
    rows = match_genes(genes, TSS).rows
    found = rows[rows >= 0]
    assert len(set(found)) == len(found)


def test_genes_of_counts_keeps_their_names_and_order():
    matched, steps = genes_of_counts(["XIST", "SPI1", "ENSG1"], TSS)
    assert matched["gene_id"].tolist() == ["SPI1", "ENSG1"]
    assert matched["gene_name"].tolist() == ["SPI1", "GATA1"]
    assert steps == [
        ("genes in the counts", 3),
        ("matched by gene_id without version", 1),
        ("matched by gene_name", 1),
        ("dropped: not in the annotation", 1),
    ]


@pytest.mark.parametrize("genes, why", [(["Gata1", "Spi1"], "another species"), (["a"], "source")])
def test_no_match_says_why(genes, why):
    with pytest.raises(InputError, match=why) as error:
        genes_of_counts(genes, TSS)
    assert genes[0] in str(error.value) and "ENSG1.5" in str(error.value)


def test_counts_by_id_get_names_from_the_annotation():
    tss = pd.DataFrame({"gene_id": ["E1.3", "E2"], "gene_name": ["GATA1", ""]})
    genes = pd.DataFrame(index=["E2", "E1", "E9"])
    assert with_gene_names(genes, tss)["gene_name"].tolist() == ["E2", "GATA1", "E9"]
    named = genes.assign(gene_name=["a", "b", "c"])
    assert with_gene_names(named, tss) is named
