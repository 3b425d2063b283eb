import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.simulate.links import simulate_links
from cisgrammar.simulate.settings import LinkSettings

SMALL = {
    "n_peaks": 400, "n_genes": 120, "n_chromosomes": 3, "n_cells": 300, "min_spacing": 800,
    "max_spacing": 2000, "decay": 5000.0, "cell_types": {"A": 0.6, "B": 0.4},
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("links")
    simulate_links(folder, LinkSettings(**SMALL), seed=3)
    links = pd.read_csv(folder / "truth/links.tsv", sep="\t")
    return folder, links


def middles(folder):
    peaks = ad.read_h5ad(folder / "atac.h5ad").var
    return ((peaks["start"] + peaks["end"]) // 2).rename(None), peaks["chrom"].astype(str)


def test_links_fall_with_distance_and_stay_on_a_chromosome(made):
    _, links = made
    settings = LinkSettings(**SMALL)
    true = links[links["role"] == "link"]
    assert len(true) > 20
    limit = settings.max_effect * np.exp(-true["distance"].abs() / settings.decay)
    assert (true["effect"].abs() <= limit + 1e-6).all()
    assert (true["effect"].abs() >= settings.least_effect - 1e-6).all()


def test_what_drives_depends_on_motifs(made):
    folder, links = made
    sites = pd.read_csv(folder / "truth/sites.tsv", sep="\t")
    kinds = pd.read_csv(folder / "truth/motif_kinds.tsv", sep="\t", keep_default_na=False)
    names = kinds.groupby("kind")["motif"].agg(set)
    of_peak = sites.groupby("peak")["motif"].agg(set)
    regulating = names["linking"] | names["silencing"]
    for row in links.itertuples():
        motifs = of_peak[row.peak]
        if row.role == "link":
            assert motifs & regulating
        else:
            assert motifs & names["passive"] and not motifs & regulating
            assert row.effect == 0


def test_genes_with_the_insulating_motif_have_no_links(made):
    folder, links = made
    sites = pd.read_csv(folder / "truth/sites.tsv", sep="\t")
    place, chrom = middles(folder)
    insulated = set(sites.loc[sites["motif"] == "GFI1", "peak"])
    true = links[links["role"] == "link"]
    starts = {}
    for line in (folder / "annotation.gtf").read_text().splitlines():
        fields = line.split("\t")
        if len(fields) > 8 and fields[2] == "gene":
            gene = fields[8].split('"')[1]
            starts[gene] = (
                fields[0],
                int(fields[3]) - 1 if fields[6] == "+" else int(fields[4]) - 1,
            )
    at = {(chrom[name], int(place[name])): name for name in place.index}
    promoters = {gene: at[where] for gene, where in starts.items()}
    assert any(promoter in insulated for promoter in promoters.values())
    assert not {promoters[gene] for gene in true["gene"]} & insulated
    for row in true.itertuples():
        assert place[row.peak] - starts[row.gene][1] == row.distance
        assert chrom[row.peak] == starts[row.gene][0]


def test_a_gene_follows_its_links_within_cell_types(made):
    folder, links = made
    truth = pd.read_csv(folder / "truth/link_activities.tsv", sep="\t")
    assert len(truth) == 2 * (links["role"] == "link").sum()
    rna, atac = ad.read_h5ad(folder / "rna.h5ad"), ad.read_h5ad(folder / "atac.h5ad")
    assert rna.obs_names.equals(atac.obs_names)
    assert set(np.unique(atac.X.data)) == {1}


def test_the_same_seed_gives_the_same_truth(made, tmp_path):
    folder, _ = made
    simulate_links(tmp_path, LinkSettings(**SMALL), seed=3)
    for name in ("truth/links.tsv", "truth/link_activities.tsv", "genome.fa"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"passive": ("ELK1",)}, "ELK1 would be planted twice"),
        ({"n_genes": 500}, "500 genes for"),
        ({"min_spacing": 100}, "peaks are 100 to"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        simulate_links(tmp_path, LinkSettings(**SMALL | change), seed=1)
