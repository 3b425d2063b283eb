"""The built-in data set is what it says, and the truth beside it is true."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from pyfaidx import Fasta

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import read_table
from cisgrammar.genome.sequence import decode, encode, reverse_complement
from cisgrammar.genome.tss import read_tss
from cisgrammar.interpret.gene_sets import read_gmt
from cisgrammar.motifs.meme import read_meme
from cisgrammar.simulate.expression import draw_activities, expected_expression
from cisgrammar.simulate.genome import (
    draw_bases,
    draw_sites,
    lay_out_genes,
    promoter_slice,
)
from cisgrammar.simulate.motifs import choose_motifs
from cisgrammar.simulate.promoters import simulate_promoters
from cisgrammar.simulate.settings import PromoterSettings

SMALL = {
    "seed": 1,
    "n_genes": 300,
    "n_chromosomes": 3,
    "upstream": 80,
    "downstream": 40,
    "activators": ["ELK1", "MAF::NFE2"],
    "repressors": ["REST"],
    "other_tfs": 20,
    "cell_types": {"A": 0.5, "B": 0.4, "C": 0.1},
    "n_cells": 200,
    "depth": 1000.0,
}


def simulate(folder, *, seed, **settings):
    simulate_promoters(folder, PromoterSettings(**settings), seed=seed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulation")
    simulate(folder, **SMALL)
    return folder


@pytest.fixture(scope="module")
def counts(folder):
    return ad.read_h5ad(folder / "counts.h5ad")


@pytest.fixture(scope="module")
def expectation(folder):
    return ad.read_h5ad(folder / "truth" / "expectation.h5ad")


@pytest.fixture(scope="module")
def sites(folder):
    return read_table(folder / "truth" / "sites.tsv")


def test_counts_are_raw_whole_numbers_with_types_and_batches(counts):
    assert counts.shape == (200, 300)
    assert counts.X.format == "csr" and counts.X.dtype == np.int32 and counts.X.min() >= 0
    assert counts.obs["cell_type"].value_counts().to_dict() == {"A": 100, "B": 80, "C": 20}
    both = pd.crosstab(counts.obs["cell_type"], counts.obs["batch"])
    assert both.shape == (3, 2) and (both > 0).all(axis=None)


def test_annotation_is_read_like_any_other(folder, counts):
    tss = read_tss(folder / "annotation.gtf")
    assert tss["gene_id"].tolist() == counts.var_names.tolist()
    assert tss["gene_name"].tolist() == counts.var["gene_name"].tolist()
    assert set(tss["strand"]) == {"+", "-"} and tss["chrom"].nunique() == 3


def test_gtf_rows_nest(folder):
    rows = [line.split("\t") for line in (folder / "annotation.gtf").open() if line[0] != "#"]
    assert {len(row) for row in rows} == {9}
    table = pd.DataFrame([(r[2], int(r[3]), int(r[4]), r[8].split('"')[1]) for r in rows])
    table.columns = ["kind", "start", "end", "gene"]
    assert (table["start"] <= table["end"]).all()
    spans = table.groupby(["kind", "gene"]).agg({"start": "min", "end": "max"})
    for kind in ("transcript", "exon"):  # the outermost exons end with the gene
        assert spans.loc[kind].equals(spans.loc["gene"])


def test_every_site_stands_where_the_truth_says(folder, sites):
    fasta = Fasta(str(folder / "genome.fa"), as_raw=True)
    tss = read_tss(folder / "annotation.gtf").set_index("gene_id")
    assert set(sites["strand"]) == {"+", "-"}
    for site in sites.itertuples():
        gene = tss.loc[site.gene]
        where = promoter_slice(gene["tss"], gene["strand"], 80, 40)
        promoter = encode(fasta[gene["chrom"]][where.start : where.stop])
        promoter = promoter if gene["strand"] == "+" else reverse_complement(promoter)
        found = promoter[site.start : site.start + len(site.sequence)]
        found = found if site.strand == "+" else reverse_complement(found)
        assert decode(found) == site.sequence


def test_sites_occur_as_often_as_asked_and_never_overlap(sites):
    assert not sites.duplicated(["gene", "motif"]).any()
    share = sites["motif"].value_counts() / SMALL["n_genes"]
    assert share.between(0.15, 0.45).all()
    ends = sites["start"] + sites["sequence"].str.len()
    following = sites.groupby("gene")["start"].shift(-1)
    assert (following.isna() | (following >= ends)).all() and ends.max() <= 120


def test_log_expression_is_the_sum_of_activities(folder, sites, expectation):
    activities = read_table(folder / "truth" / "activities.tsv", index_col="motif")
    assert expectation.X.sum(axis=1) == pytest.approx(10_000)
    has_site = pd.crosstab(sites["gene"], sites["motif"]).reindex(
        index=expectation.var_names, columns=activities.index, fill_value=0
    )
    tfs = expectation.var["gene_name"].isin(["ELK1", "MAF", "NFE2", "REST"]).to_numpy()
    assert tfs.sum() == 4 and not has_site[tfs].any(axis=None)
    rest = np.log(expectation.X.T) - has_site.to_numpy() @ activities.to_numpy()
    between_types = (rest - rest[:, :1])[~tfs]  # what is left is each type's own constant
    assert between_types.std(axis=0) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("tf, motif", [("ELK1", 0), ("MAF", 1), ("NFE2", 1), ("REST", 2)])
def test_expression_of_a_tf_follows_its_activity(folder, expectation, tf, motif):
    activities = read_table(folder / "truth" / "activities.tsv", index_col="motif")
    column = (expectation.var["gene_name"] == tf).to_numpy()
    expected = expectation.X[:, column].ravel()
    strength = activities.iloc[motif].abs().to_numpy()
    assert (np.argsort(expected) == np.argsort(strength)).all()


def test_repressors_are_negative(folder):
    activities = read_table(folder / "truth" / "activities.tsv", index_col="motif")
    assert (activities.loc[["ELK1", "MAF::NFE2"]] > 0).all(axis=None)
    assert (activities.loc["REST"] < 0).all()


def test_planted_motifs_keep_their_matrix_ids(folder):
    motifs = read_meme(folder / "truth" / "motifs.meme")
    names = [(motif.name, motif.alt) for motif in motifs]
    assert names == [("ELK1", "MA0028.3"), ("MAF::NFE2", "MA0501.2"), ("REST", "MA0138.3")]


def test_same_seed_same_bytes_and_another_seed_another_genome(folder, tmp_path):
    simulate(tmp_path / "again", **SMALL)
    simulate(tmp_path / "other", **{**SMALL, "seed": 2})
    for name in ("genome.fa", "annotation.gtf", "truth/sites.tsv", "truth/activities.tsv"):
        first = (folder / name).read_bytes()
        assert first == (tmp_path / "again" / name).read_bytes()
        assert first != (tmp_path / "other" / name).read_bytes()
    again = ad.read_h5ad(tmp_path / "again" / "counts.h5ad")
    assert (again.X != ad.read_h5ad(folder / "counts.h5ad").X).nnz == 0


def test_counts_scatter_around_the_expectation(tmp_path):
    settings = {"n_cells": 4000, "cell_types": {"A": 1.0}, "depth_sd": 0, "batch_gene_sd": 0}
    simulate(tmp_path, **{**SMALL, **settings, "batch_depth_sd": 0, "dispersion": 0.5})
    counts = ad.read_h5ad(tmp_path / "counts.h5ad").X.toarray()
    expected = ad.read_h5ad(tmp_path / "truth" / "expectation.h5ad").X[0] / 10  # 1,000 a cell
    strong = expected > 1
    assert counts.mean(axis=0)[strong] == pytest.approx(expected[strong], rel=0.1)
    ratio = counts.var(axis=0)[strong] / (expected + 0.5 * expected**2)[strong]
    assert ratio.mean() == pytest.approx(1, abs=0.1)


def test_batches_differ_gene_by_gene(counts):
    in_a = counts[counts.obs["cell_type"] == "A"]
    means = [in_a[in_a.obs["batch"] == b].X.toarray().mean(axis=0) for b in ("batch1", "batch2")]
    strong = np.minimum(*means) > 5
    ratio = np.log(means[0][strong] / means[1][strong])
    assert ratio.std() > 0.1


@pytest.mark.parametrize("strand, first, last", [("+", 70, 119), ("-", 81, 130)])
def test_the_tss_is_the_first_downstream_base(strand, first, last):
    """30 bases before a TSS at 100, and 20 from it on."""
    where = promoter_slice(100, strand, 30, 20)
    assert (where.start, where.stop - 1) == (first, last)


def test_promoters_never_overlap_and_fit_on_the_chromosomes():
    genes, lengths = lay_out_genes(200, 4, 150, 50, np.random.default_rng(0))
    assert len(genes) == 200 and list(lengths) == ["chr1", "chr2", "chr3", "chr4"]
    for chrom, here in genes.groupby("chrom"):
        windows = [
            promoter_slice(t, s, 150, 50) for t, s in zip(here["tss"], here["strand"], strict=True)
        ]
        edges = [edge for window in windows for edge in (window.start, window.stop)]
        assert edges == sorted(edges) and edges[0] >= 0 and edges[-1] <= lengths[chrom]


def test_promoters_are_richer_in_gc():
    rng = np.random.default_rng(0)
    genes, lengths = lay_out_genes(300, 2, 200, 100, rng)
    bases = draw_bases(genes, lengths, 0.4, 0.6, 0.05, rng)

    def gc(offset):
        places = genes["tss"] + np.where(genes["strand"] == "+", offset, -offset)
        codes = [bases[chrom][place] for chrom, place in zip(genes["chrom"], places, strict=True)]
        return np.isin(codes, [1, 2]).mean()

    near = np.mean([gc(offset) for offset in range(-20, 20)])
    assert near == pytest.approx(0.6, abs=0.03)
    whole = np.concatenate(list(bases.values()))
    assert 0.4 < np.isin(whole, [1, 2]).mean() < near


def test_sites_follow_the_motif_unless_weak():
    ppm = np.array([[0.7, 0.1], [0.1, 0.1], [0.1, 0.1], [0.1, 0.7]])
    everything = draw_sites(ppm, 4000, -9, np.random.default_rng(0))
    assert np.bincount(everything[:, 0]) / 4000 == pytest.approx(ppm[:, 0], abs=0.03)
    assert np.bincount(everything[:, 1]) / 4000 == pytest.approx(ppm[:, 1], abs=0.03)
    assert (draw_sites(ppm, 50, 1.0, np.random.default_rng(0)) == [0, 3]).all()


def test_activities_rise_in_equal_steps():
    table = draw_activities(["x", "y"], ["y"], list("ABC"), 0.2, 1.0, np.random.default_rng(0))
    assert sorted(table.loc["x"]) == pytest.approx([0.2, 0.6, 1.0])
    assert sorted(table.loc["y"]) == pytest.approx([-1.0, -0.6, -0.2])


def test_expected_expression_by_hand():
    has_site = np.array([[True], [False], [False]])
    activities = np.log([[2.0, 1.0]])
    expected = expected_expression(has_site, activities, np.zeros(3), {2: 0}, 1.0)
    assert expected == pytest.approx(10_000 * np.array([[2, 1, 2], [1, 1, 1]]) / [[5], [3]])


def test_a_name_stands_for_its_first_profile_and_heterodimers_are_split():
    motifs, tfs, others = choose_motifs(["HNF4A", "FOS::JUN"], ["MA0138.3"], "JASPAR2024")
    assert [motif.alt for motif in motifs] == ["MA0114.5", "MA0099.4", "MA0138.3"]
    assert tfs == [["HNF4A"], ["FOS", "JUN"], ["REST"]]
    assert "ELK1" in others and not {"FOS", "JUN", "REST"} & set(others)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"activators": ["ELK1", "NOTATF"]}, "NOTATF: not among"),
        ({"activators": ["ELK1", "REST"]}, "REST would be planted twice"),
        ({"n_genes": 3}, "4 planted TFs need a gene each"),
        ({"upstream": 20, "downstream": 10}, "motifs are 40 bases wide together"),
        ({"min_activity": 2.0}, "`min_activity` is 2"),
        ({"jaspar_release": "JASPAR1999"}, "no JASPAR release 1999"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_written(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        simulate(tmp_path / "folder", **{**SMALL, **settings})
    assert not (tmp_path / "folder").exists()


def test_a_motifs_process_is_of_genes_that_bear_it(folder, counts, sites):
    sets = read_gmt(folder / "gene_sets.gmt")
    assert len(sets) == 3 + 12
    for motif in ("ELK1", "MAF::NFE2", "REST"):
        bearers = counts.var.loc[sites.loc[sites["motif"] == motif, "gene"], "gene_name"]
        assert len(sets[f"process of {motif}"]) == 40
        assert set(sets[f"process of {motif}"]) <= set(bearers)
