"""Peaks follow the sites that stand in them, and the truth says so."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from pyfaidx import Fasta

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import read_table
from cisgrammar.common.statistics import pearson
from cisgrammar.genome.peaks import peaks_from_names
from cisgrammar.genome.sequence import decode, encode, reverse_complement
from cisgrammar.genome.tss import read_tss
from cisgrammar.motifs.meme import read_meme
from cisgrammar.simulate.multiome import simulate_multiome
from cisgrammar.simulate.settings import MultiomeSettings

SMALL = {
    "seed": 1,
    "n_peaks": 400,
    "n_genes": 60,
    "n_chromosomes": 2,
    "site_range": 100,
    "activators": ["ELK1", "MAF::NFE2"],
    "repressors": ["REST"],
    "cell_types": {"A": 0.5, "B": 0.4, "C": 0.1},
    "n_cells": 300,
    "open_per_cell": 60.0,
    "rna_per_cell": 500.0,
}


def simulate(folder, *, seed, **settings):
    simulate_multiome(folder, MultiomeSettings(**settings), seed=seed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("multiome")
    simulate(folder, **SMALL)
    return folder


@pytest.fixture(scope="module")
def atac(folder):
    return ad.read_h5ad(folder / "atac.h5ad")


@pytest.fixture(scope="module")
def truth(folder):
    return ad.read_h5ad(folder / "truth/accessibility.h5ad")


def test_modalities_are_of_the_same_cells(folder, atac):
    rna = ad.read_h5ad(folder / "rna.h5ad")
    assert rna.obs.equals(atac.obs) and rna.shape == (300, 60) and atac.shape == (300, 400)
    assert atac.X.format == "csr" and set(atac.X.data) == {1}
    both = pd.crosstab(atac.obs["cell_type"], atac.obs["batch"])
    assert both.shape == (3, 2) and (both > 0).all(axis=None)
    assert np.median(np.diff(atac.X.indptr)) == pytest.approx(50, abs=15)


def test_peaks_are_named_by_their_place_and_do_not_overlap(atac):
    peaks = peaks_from_names(atac.var_names, "")
    assert (peaks["start"].to_numpy() == atac.var["start"].to_numpy()).all()
    assert (peaks["end"] - peaks["start"]).between(300, 700).all()
    for _, here in peaks.groupby("chrom"):
        assert (here["start"].to_numpy()[1:] > here["end"].to_numpy()[:-1]).all()


def test_every_site_stands_where_the_truth_says(folder, atac):
    fasta = Fasta(str(folder / "genome.fa"), as_raw=True)
    sites = read_table(folder / "truth/sites.tsv")
    assert set(sites["strand"]) == {"+", "-"} and not sites.duplicated(["peak", "motif"]).any()
    for site in sites.itertuples():
        chrom = site.peak.split(":")[0]
        found = encode(fasta[chrom][site.start : site.start + len(site.sequence)])
        assert decode(found if site.strand == "+" else reverse_complement(found)) == site.sequence
        peak = atac.var.loc[site.peak]
        assert peak["start"] <= site.start <= peak["end"] - len(site.sequence)


def test_log_accessibility_is_the_sum_of_activities(folder, truth):
    activities = read_table(folder / "truth/activities.tsv", index_col="motif")
    sites = read_table(folder / "truth/sites.tsv")
    has_site = pd.crosstab(sites["peak"], sites["motif"]).reindex(
        index=truth.var_names, columns=activities.index, fill_value=0
    )
    rest = np.log(truth.X.T) - has_site.to_numpy() @ activities.to_numpy()
    assert (rest - rest[:, :1]).std(axis=0) == pytest.approx(0, abs=1e-9)
    assert (activities.loc["REST"] <= 0).all()


def test_peaks_are_open_as_often_as_the_truth_says(atac, truth):
    for cell_type in "AB":
        share = atac[atac.obs["cell_type"] == cell_type].X.mean(axis=0).A1
        assert pearson(np.log(truth[cell_type].X[0]), np.sqrt(share)) > 0.7


def test_genes_start_in_the_middle_of_peaks_and_follow_them(folder, atac, truth):
    tss = read_tss(folder / "annotation.gtf")
    middles = (atac.var["start"] + atac.var["end"]) // 2
    rows = [np.flatnonzero((atac.var["chrom"] == c) & (middles == t)) for c, t in
            zip(tss["chrom"], tss["tss"], strict=True)]  # fmt: skip
    assert {len(row) for row in rows} == {1}
    expectation = ad.read_h5ad(folder / "truth/expectation.h5ad")
    others = np.flatnonzero(~expectation.var["gene_name"].isin(["ELK1", "MAF", "NFE2", "REST"]))
    logs = np.log(expectation.X) - 0.7 * np.log(truth.X[:, np.concatenate(rows)])
    assert logs[:, others].std(axis=1) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("tf, motif", [("ELK1", "ELK1"), ("NFE2", "MAF::NFE2"), ("REST", "REST")])
def test_expression_of_a_tf_follows_its_activity(folder, tf, motif):
    expectation = ad.read_h5ad(folder / "truth/expectation.h5ad")
    activity = read_table(folder / "truth/activities.tsv", index_col="motif").loc[motif].abs()
    expected = expectation[:, expectation.var["gene_name"] == tf].X.ravel()
    assert (np.argsort(expected) == np.argsort(activity.to_numpy())).all()


def test_same_seed_same_bytes(folder, tmp_path):
    simulate(tmp_path / "again", **SMALL)
    simulate(tmp_path / "other", **{**SMALL, "seed": 2})
    for name in ("genome.fa", "annotation.gtf", "truth/sites.tsv", "truth/activities.tsv"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
        assert (folder / name).read_bytes() != (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"activators": ["ELK1", "REST"]}, "REST would be planted twice"),
        ({"n_genes": 3}, "3 genes for 4 planted TFs"),
        ({"n_genes": 500}, "and 400 peaks"),
        ({"site_range": 30}, "the width of all motifs together, 40"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_written(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        simulate(tmp_path / "folder", **{**SMALL, **settings})
    assert not (tmp_path / "folder").exists()


def test_a_pair_stands_at_its_gap_and_is_no_motif_of_the_truth(tmp_path):
    pair = {"first": "TEAD4", "second": "MEF2A", "gap": 6}
    settings = {"n_peaks": 300, "n_genes": 100, "n_cells": 20, "pairs": [pair]}
    simulate_multiome(tmp_path, MultiomeSettings(**settings), seed=1)
    (motif,) = read_meme(tmp_path / "truth/pairs.meme")
    assert motif.name == "TEAD4_6_MEF2A"
    flat = np.flatnonzero((motif.matrix == 0.25).all(axis=0))
    assert len(flat) == 6 and np.diff(flat).max() == 1
    own, others = (read_table(tmp_path / f"truth/{n}.tsv") for n in ("pair_sites", "sites"))
    assert set(own["motif"]) == {motif.name} and motif.name not in set(others["motif"])
    assert 0.05 < len(own) / 300 < 0.3
