"""populations.h5ad, built of small files whose content is known."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from made_inputs import gtf_row, write

from cisgrammar.common.errors import InputError
from cisgrammar.data.gene_features import GenomeFiles
from cisgrammar.data.populations import build_populations
from cisgrammar.genome.half_life import LENGTHS
from cisgrammar.genome.sequence import decode, encode, reverse_complement

SETTINGS = {
    "levels": ["all_cells", "cell_type"],
    "min_cells": 2,
    "scale": 100,
    "zeros": "floor",
    "floor": -4,
    "pseudocount": 1,
    "upstream": 20,
    "downstream": 10,
    "drop_chromosomes": ["chrM"],
    "half_life": {"features": LENGTHS, "lengths": "spliced", "coding_only": True},
    "table": None,
    "bulk": None,
}
HOW = {
    "gene_id": "gene_id",
    "tss_rule": "gene",
    "biotypes": None,
    "chromosomes": "auto",
    "min_overlap": 0.5,
}
X = [[1, 1, 0, 4, 4], [2, 0, 2, 0, 0], [0, 0, 8, 2, 0], [3, 1, 4, 2, 0]]


def transcript(name, strand, chrom="chr1", start=101, cds=(121, 160), end=200):
    ids = {"gene_id": name, "transcript_id": f"{name}.t"}
    rows = [gtf_row("gene", start, end, strand, chrom, gene_id=name)]
    rows.append(gtf_row("exon", start, end, strand, chrom, **ids))
    return "".join([*rows, gtf_row("CDS", *cds, strand, chrom, **ids)] if cds else rows)


@pytest.fixture
def inputs(tmp_path):
    """Genes on both strands, one without CDS, one on chrM, one spike-in."""
    sequence = "".join(np.random.default_rng(1).choice(list("ACGT"), 1000))
    sequence = sequence[:90] + "N" + sequence[91:]
    rows = transcript("G1", "+") + transcript("G2", "-", start=301, cds=(331, 360), end=400)
    rows += transcript("G3", "+", start=501, cds=None, end=600)
    rows += transcript("G4", "+", "chrM")
    counts = ad.AnnData(
        sp.csr_matrix(np.array(X, dtype=np.float32)),
        obs=pd.DataFrame({"cell_type": list("aabb")}, index=[f"c{i}" for i in range(4)]),
        var=pd.DataFrame(index=["G2", "G1", "G3", "spike", "G4"]),
    )
    fasta = write(tmp_path / "genome.fa", f">chr1\n{sequence}\n>chrM\n{sequence}\n")
    gtf = write(tmp_path / "genes.gtf", rows)
    return counts, GenomeFiles(fasta, tmp_path / "work", gtf, None, HOW), sequence


def build(inputs, **changes):
    return build_populations(*inputs[:2], settings=SETTINGS | changes)


def test_targets_are_log10_of_means_of_cells_scaled_without_spike_ins(inputs):
    data, _ = build(inputs)
    assert list(data.obs_names) == ["all_cells/all", "cell_type/a", "cell_type/b"]
    assert list(data.var_names) == ["G2", "G1"]
    # in genes of the annotation cells have 6, 4, 8 and 8 counts
    a = [(100 / 6 + 50) / 2, 100 / 6 / 2]
    b = [37.5 / 2, 12.5 / 2]
    assert data["cell_type/a"].X.ravel() == pytest.approx(np.log10(a))
    everything = (np.array(a) + b) / 2
    assert data["all_cells/all"].X.ravel() == pytest.approx(np.log10(everything))


def test_windows_are_on_the_strand_with_the_tss_at_index_upstream(inputs):
    data, _ = build(inputs)
    letters = inputs[2]
    assert data.var["TSS"].to_dict() == {"G2": 399, "G1": 100}
    assert decode(data[:, "G1"].varm["codes"][0]) == letters[80:110]
    backwards = decode(reverse_complement(encode(letters[390:420])))
    assert decode(data[:, "G2"].varm["codes"][0]) == backwards


def test_features_are_logarithms_and_missing_where_not_annotated(inputs):
    data, tables = build(inputs)
    names = list(data.uns["features"])
    assert names == list(LENGTHS)
    assert data[:, "G1"].varm["features"][0] == pytest.approx(
        np.log10([20.1, 40.1, 40.1, 0.1, 0.1])
    )
    assert data[:, "G2"].varm["features"][0] == pytest.approx(
        np.log10([40.1, 30.1, 30.1, 0.1, 0.1])
    )
    assert tables["missing"].empty


def test_what_is_dropped_is_counted(inputs):
    _, tables = build(inputs)
    steps = tables["steps"].set_index("step")["genes"]
    assert steps["dropped: not in the annotation"] == 1
    assert steps["dropped: on chrM"] == 1
    assert steps["dropped: no CDS"] == 1
    assert steps["windows with N, which are kept"] == 1
    assert steps["genes"] == 2


def test_own_features_and_bulk_join_by_id(inputs, tmp_path):
    table = write(tmp_path / "half_life.tsv", "gene\tminutes\nG1\t9.9\nG9\t3\n")
    bulk = write(tmp_path / "bulk.csv", "gene,s1,s2,s3\nG1,10,30,1\nG2,1,1,0\nG3,5,5,5\n")
    data, tables = build(
        inputs,
        table={"path": table, "columns": ["minutes"], "log": True},
        bulk={"path": bulk, "samples": {"two": ["s1", "s2"], "one": ["s3"]}},
    )
    assert list(data.obs_names[-2:]) == ["bulk/two", "bulk/one"]
    assert data["bulk/two", ["G1", "G2"]].X.ravel() == pytest.approx([np.log10(20), 0])
    assert data["bulk/one", ["G1", "G2"]].X.ravel() == pytest.approx([0, -4])
    assert data[:, ["G1", "G2"]].varm["features"][:, -1] == pytest.approx([1, np.nan], nan_ok=True)
    assert tables["missing"].to_numpy().tolist() == [["G2", "minutes"]]


def test_genes_that_the_bulk_matrix_lacks_are_dropped_and_counted(inputs, tmp_path):
    counts, files, sequence = inputs
    bulk = write(tmp_path / "bulk.tsv", "gene\ts\nG1\t1\nG3\t4\n")
    half_life = SETTINGS["half_life"] | {"coding_only": False}
    data, tables = build(
        (counts, files, sequence), bulk={"path": bulk, "samples": None}, half_life=half_life
    )
    assert list(data.var_names) == ["G1", "G3"]
    assert tables["steps"].set_index("step")["genes"]["dropped: not in the bulk matrix"] == 1


def test_sequence_alone_needs_no_cds(inputs):
    half_life = SETTINGS["half_life"] | {"features": []}
    data, _ = build(inputs, half_life=half_life)
    assert data.varm["features"].shape == (3, 0)


def test_an_annotation_without_cds_is_told(inputs, tmp_path):
    counts, files, sequence = inputs
    gtf = write(tmp_path / "bare.gtf", transcript("G1", "+", cds=None))
    bare = GenomeFiles(files.fasta, files.work, gtf, None, HOW)
    with pytest.raises(InputError, match="none of 1 genes has a CDS"):
        build((counts, bare, sequence))
