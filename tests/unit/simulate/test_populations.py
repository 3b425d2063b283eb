"""Simulated populations are what they say, and the truth beside them is true."""

import anndata as ad
import numpy as np
import pytest
from pyfaidx import Fasta

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import read_table
from cisgrammar.genome.half_life import LENGTHS, half_life_features, read_transcripts
from cisgrammar.genome.sequence import decode, encode, reverse_complement
from cisgrammar.genome.tss import read_tss
from cisgrammar.simulate.genome import promoter_slice
from cisgrammar.simulate.populations import simulate_populations
from cisgrammar.simulate.settings import PopulationSettings

SMALL = PopulationSettings(
    upstream=400, downstream=100, reach=200, n_genes=300, n_chromosomes=3, n_cells=200, depth=2000
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulation")
    simulate_populations(folder, SMALL, seed=1)
    return folder


@pytest.fixture(scope="module")
def expectation(folder):
    return ad.read_h5ad(folder / "truth/expectation.h5ad")


@pytest.fixture(scope="module")
def activities(folder):
    return read_table(folder / "truth/activities.tsv", index_col="motif")


def test_sites_stand_where_they_are_said_to_stand(folder, activities):
    genome = Fasta(str(folder / "genome.fa"), as_raw=True)
    tss = read_tss(folder / "annotation.gtf").set_index("gene_id")
    sites = read_table(folder / "truth/sites.tsv")
    for site in sites.itertuples():
        gene = tss.loc[site.gene]
        window = encode(genome[gene.chrom][promoter_slice(gene.tss, gene.strand, 400, 100)])
        window = window if gene.strand == "+" else reverse_complement(window)
        found = window[site.start : site.start + len(site.sequence)]
        found = found if site.strand == "+" else reverse_complement(found)
        assert decode(found) == site.sequence
    far = sites["motif"].map(activities["place"]) == "far"
    ends = sites["start"] + sites["sequence"].str.len()
    assert (ends[far] <= 200).all() and (sites["start"][~far] >= 200).all()
    assert far.any() and not far.all()


def test_a_motif_of_one_class_does_nothing_in_the_others(activities, expectation):
    for motif, row in activities.iterrows():
        for cell_type, of_class in expectation.obs["class"].items():
            acts = row["class"] in ("", of_class)
            assert (row[cell_type] != 0) == acts, motif
    assert set(activities["class"]) == {"", "neuron", "glia", "immune"}


def test_a_general_motif_does_the_same_in_all_types(activities, expectation):
    """Otherwise a class differs from the tissue on genes that bear no motif of any class, too."""
    effects = activities[list(expectation.obs_names)]
    assert (effects[activities["class"] == ""] == SMALL.activity).all(axis=None)
    of_glia = effects[activities["class"] == "glia"]["G1"]
    assert (of_glia != SMALL.specific_activity).all()


def test_expression_is_half_life_motifs_and_noise(folder, activities, expectation):
    genes = read_table(folder / "truth/genes.tsv", index_col="gene")
    types = list(expectation.obs_names)
    effects = activities[types]
    by_hand = np.array(
        [
            row.half_life + effects.loc[[m for m in row.motifs.split(";") if m]].sum()
            for row in genes.itertuples()
        ]
    )
    for layer, more in ((expectation.layers["predictable"], 0), (expectation.X, genes["noise"])):
        logs = np.log(layer).T - by_hand - np.reshape(more, (-1, 1)) * np.ones(len(types))
        assert logs - logs.mean(axis=0) == pytest.approx(np.zeros(logs.shape), abs=1e-3)


def test_half_life_is_told_by_what_the_annotation_knows(folder):
    """Of genes whose ends are known, least squares on the features give it exactly."""
    genes = read_table(folder / "truth/genes.tsv", index_col="gene")
    transcripts = read_transcripts(folder / "annotation.gtf")
    features = half_life_features(transcripts, list(genes.index))
    known = features.notna().all(axis=1).to_numpy()
    assert 0.8 < known.mean() < 0.97
    assert features.columns[features.isna().any()].tolist() == ["utr3_length"]
    x = np.log10(features[known].to_numpy() + 0.1)
    x = np.column_stack([np.ones(len(x)), x])
    y = genes["half_life"].to_numpy()[known]
    assert x @ np.linalg.lstsq(x, y)[0] == pytest.approx(y, abs=1e-4)
    assert y.std() == pytest.approx(SMALL.half_life_sd, rel=0.15)
    assert len(LENGTHS) == x.shape[1] - 1


def test_counts_follow_the_expectation(folder, expectation):
    counts = ad.read_h5ad(folder / "counts.h5ad")
    assert list(counts.obs) == ["cell_type", "batch", "class"]
    neurons = counts.X[(counts.obs["class"] == "neuron").to_numpy()].mean(axis=0).A1
    of_class = (expectation.obs["class"] == "neuron").to_numpy()
    expected = expectation.X[of_class].mean(axis=0)
    assert np.corrcoef(np.log(neurons + 0.1), np.log(expected))[0, 1] > 0.9


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    simulate_populations(tmp_path, SMALL, seed=1)
    for path in ("genome.fa", "annotation.gtf", "truth/sites.tsv", "truth/genes.tsv"):
        assert (tmp_path / path).read_bytes() == (folder / path).read_bytes()


@pytest.mark.parametrize(
    "settings, message",
    [
        (PopulationSettings(far=("ELK1",)), "ELK1 would be planted twice"),
        (PopulationSettings(upstream=500, downstream=10), "the far motifs are"),
        (PopulationSettings(reach=5), "the near motifs are"),
    ],
)
def test_settings_that_do_not_fit_are_told(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        simulate_populations(tmp_path, settings, seed=1)
