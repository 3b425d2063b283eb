import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.common.errors import InputError
from cisgrammar.genome.gene_match import (
    ABSENT,
    NO_VERSION,
    SHARED,
    TAKEN,
    genes_of_counts,
    match_genes,
    with_gene_names,
)

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
    tss = pd.DataFrame({"gene_id": ["ENSG1.3", "ENSG2"], "gene_name": ["GATA1", ""]})
    genes = pd.DataFrame(index=["ENSG2", "ENSG1", "ENSG9"])
    assert with_gene_names(genes, tss)["gene_name"].tolist() == ["ENSG2", "GATA1", "ENSG9"]
    named = genes.assign(gene_name=["a", "b", "c"])
    assert with_gene_names(named, tss) is named


def annotation(*ids, names=None):
    return pd.DataFrame({"gene_id": ids, "gene_name": names or [""] * len(ids)}, dtype=object)


@pytest.mark.parametrize(
    "genes, ids, rows",
    [
        (["Y74C9A.3", "Y74C9A.2"], ["Y74C9A.2", "Y74C9A.6"], [-1, 0]),  # worm: clone and gene
        (["AL627309.5", "SPI1"], ["AL627309.1", "SPI1"], [-1, 1]),
        (["Y74C9A", "SPI1"], ["Y74C9A.2", "SPI1"], [-1, 1]),
        (["ENSMUSG00000051951.6"], ["ENSMUSG00000051951.5"], [0]),
        (["ENSDARG00000102141"], ["ENSDARG00000102141.3"], [0]),
        (["MGP_C57BL6NJ_G0014500.1", "a"], ["MGP_C57BL6NJ_G0014500", "a"], [0, 1]),
        (["ENSG00000182378.14"], ["ENSG00000182378.15_PAR_Y", "ENSG00000182378.15"], [1]),
        (["ENSG00000182378.14_PAR_Y"], ["ENSG00000182378.15_PAR_Y", "ENSG00000182378.15"], [0]),
        (["G1.1", "G2.7"], ["G2.3", "G1.2"], [1, 0]),  # versions all, and stems that tell apart
        (["G1.1", "G1.7"], ["G2.3", "G1.2"], [-1, -1]),
        (["G1.1", "G2.7"], ["G2.3", "G2.4", "G1.2"], [-1, -1]),
        (["G1.1", "x"], ["G2.3", "G1.2"], [-1, -1]),
    ],
)  # fmt: skip
def test_only_versions_are_taken_for_versions(genes, ids, rows):
    assert match_genes(genes, annotation(*ids)).rows.tolist() == rows


STEM = st.sampled_from(["ENSG1", "ENSG2", "ENSMUSG1", "Y74C9A", "AL627309", "FBgn01", "a"])
ID = st.builds("{}{}{}".format, STEM, st.sampled_from(["", ".1", ".2", ".3"]),
               st.sampled_from(["", "", "_PAR_Y"]))  # fmt: skip
IDS = st.lists(ID, unique=True, max_size=8)


def stem(name):
    return name.removesuffix("_PAR_Y").partition(".")[0] + "_PAR_Y" * name.endswith("_PAR_Y")


@settings(deadline=None)
@given(IDS, IDS)
def test_no_gene_gets_the_start_of_another(genes, ids):
    all_versions = all(
        all(name.partition(".")[2].isdecimal() for name in side)
        and len({stem(name) for name in side}) == len(side)
        for side in (genes, ids)
    )
    for gene, row in zip(genes, match_genes(genes, annotation(*ids)).rows, strict=True):
        if row >= 0 and gene != ids[row]:
            assert stem(gene) == stem(ids[row])
            assert gene.startswith("ENS") or all_versions


def test_each_gene_without_match_has_its_reason():
    genes = ["ENSG1.5", "GATA1", "TWIN", "WB.3", "XIST", "ENSG2.2", "ENSG2.3"]
    assert match_genes(genes, TSS).reasons.tolist() == [
        "", TAKEN, SHARED, NO_VERSION, ABSENT, TAKEN, TAKEN
    ]  # fmt: skip


def test_a_name_of_two_genes_stays_so_when_one_of_them_is_matched():
    assert match_genes(["ENSG3.1", "TWIN"], TSS).rows.tolist() == [2, -1]


def test_dropped_genes_are_counted_by_reason():
    _, steps = genes_of_counts(["ENSG1", "TWIN", "WB.3", "XIST"], TSS)
    assert steps[-3:] == [
        ("dropped: not in the annotation", 1),
        ("dropped: name of several genes of the annotation", 1),
        ("dropped: number after the dot differs, and is not known to be a version", 1),
    ]


@pytest.mark.parametrize(
    "genes, words", [(["TWIN"], "TWIN.*counts.gene_column"), (["WB.3", "x"], r"dot.*WB\.3")]
)
def test_messages_tell_shared_names_and_numbers_from_absent_genes(genes, words):
    with pytest.raises(InputError, match=words) as error:
        genes_of_counts(genes, TSS)
    assert ("not: x (" in str(error.value)) == ("x" in genes)


COPIES = pd.DataFrame(
    {
        "gene_id": ["ENSG1.1", "ENSG2.1", "ENSG3.1_PAR_Y", "ENSG3.1", "ENSG4.1", "ENSG5.1"],
        "gene_name": ["HLA-A", "HLA-A", "CD99", "CD99", "TWIN", "TWIN"],
        "chrom": ["HSCHR6_MHC", "6", "Y", "X", "1", "2"],
    }
)


@pytest.mark.parametrize(
    "genes, chromosomes, rows",
    [
        (["HLA-A", "TWIN"], ["1", "2", "6", "X", "Y"], [1, -1]),  # the haplotype is not there
        (["HLA-A", "TWIN"], ["1", "6", "X", "Y"], [1, 4]),
        (["HLA-A"], None, [-1]),  # nobody knows
        (["HLA-A"], ["1"], [-1]),
        (["CD99"], None, [3]),  # GENCODE marks the copy on Y
        (["CD99"], ["Y"], [2]),
        (["ENSG3.1_PAR_Y", "ENSG3"], ["X", "Y"], [2, 3]),
        (["ENSG1"], ["6"], [0]),  # by its own id it is itself, and its chromosome is told later
        (["ENSG2", "HLA-A"], ["6"], [1, -1]),
    ],
)
def test_a_name_of_several_genes_is_that_of_the_one_on_the_genome(genes, chromosomes, rows):
    match = match_genes(genes, COPIES, chromosomes)
    assert match.rows.tolist() == rows
    assert (match.reasons != "").tolist() == [row < 0 for row in rows]


PLACES = pd.DataFrame(
    {
        "gene_id": ["G1", "G1", "G2", "G2", "G3", "G3", "ENSG1", "ENSG2"],
        "gene_name": ["A", "A", "B", "B", "C", "C", "CD99", "CD99"],
        "chrom": ["chr6_alt", "chr6", "chrX", "chrY", "chr1", "chr1", "chrY", "chrX"],
    }
)


@pytest.mark.parametrize(
    "genes, rows",
    [
        (["G1", "G2", "G3"], [1, 2, -1]),  # on the genome; on X of X and Y (PAR); nobody knows
        (["A", "B", "C"], [1, 2, -1]),
        (["CD99"], [7]),  # Ensembl gives the copy on Y an id of its own
        (["ENSG1"], [6]),
    ],
)
def test_an_id_at_several_places_is_that_on_the_genome_and_on_x(genes, rows):
    match = match_genes(genes, PLACES, ["chr1", "chr6", "chrX", "chrY"])
    assert match.rows.tolist() == rows
    assert match.reasons[-1] == (SHARED if rows[-1] < 0 else "")


def test_an_id_at_several_places_has_one_name():
    genes = pd.DataFrame(index=["G2", "G3", "ENSG2", "x"])
    assert with_gene_names(genes, PLACES)["gene_name"].tolist() == ["B", "C", "CD99", "x"]


def test_names_of_haplotypes_are_no_loss_where_the_genome_lacks_these():
    matched, steps = genes_of_counts(["HLA-A", "CD99", "TWIN"], COPIES, ["1", "2", "6", "X", "Y"])
    assert matched["chrom"].tolist() == ["6", "X"]
    assert steps == [
        ("genes in the counts", 3),
        ("matched by gene_name", 2),
        ("dropped: not in the annotation", 0),
        ("dropped: name of several genes of the annotation", 1),
    ]
