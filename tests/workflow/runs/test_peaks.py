"""Peaks as targets: with RNA in one file, in two, and alone."""

from __future__ import annotations

import anndata as ad
import pandas as pd
import pytest
from made_multiome import N_PEAKS, write_multiome

SMALL = {
    "models": ["scover"],
    "peaks": {"length": 120},
    "genome": {"fasta": "genome.fa", "gtf": "genes.gtf"},
    "cells": {"n_pcs": 12},
    "pools": {"n_pools": 15, "cells_per_pool": 10, "n_pcs": 8},
    "dataset": {"min_detected": 0.01, "weak_detected": 0.02},
    "folds": {"n_folds": 2},
    "scover": {
        "network": {"filters": 8},
        "search": {"learning_rate": [0.002, 0.05], "batch_size": [64]},
    },
    "tuning": {"trials": 1, "epochs": 3},
    "training": {"epochs": 5, "patience": 5, "device": "cpu"},
    "motifs": {"min_sequences": 2},
    "comparison": {"baselines": [], "controls": []},
    "annotations": {"columns": ["age"]},
}
IN_ONE_FILE = {"counts": {"path": "multiome.h5mu", "cell_type": "kind"}}
IN_TWO_FILES = {
    "counts": {"path": "rna.h5ad", "cell_type": "kind"},
    "peaks": {"length": 120, "path": "atac.h5ad", "pool_on": "atac"},
}
ALONE = {
    "counts": {"path": "atac.h5ad", "modality": "atac", "cell_type": "kind"},
    "genome": {"fasta": "genome.fa"},
}


@pytest.fixture
def peak_run(new_run):
    """Make a run beside the tiny RNA and peaks."""

    def make(name, **sections):
        run = new_run({"name": name} | SMALL | sections, name)
        write_multiome(run.folder)
        return run

    return make


def table(run, path):
    return pd.read_csv(run.results / path, sep="\t", keep_default_na=False)


def test_multiome_from_one_file_to_the_report(peak_run):
    distal = {"length": 120, "distal": {"upstream": 100, "downstream": 50}}
    run = peak_run("multiome", **IN_ONE_FILE, peaks={**distal, "blacklist": "blacklist.bed"})
    wanted = [
        f"results/multiome/scover/{file}"
        for file in (
            "evaluation.tsv",
            "figures/family_heatmap.svg",
            "figures/regulator_volcano.svg",
        )
    ]
    run.snakemake("--cores", "2", *wanted)
    cells = ad.read_h5ad(run.results / "cells.h5ad")
    expression = ad.read_h5ad(run.results / "cells_expression.h5ad")
    assert cells.obs_names.equals(expression.obs_names)
    assert cells.shape == (115, N_PEAKS)  # five cells have no RNA; one peak came twice
    counts = dict(table(run, "region_counts.tsv").to_numpy())
    assert counts["merged: the same window"] == 1
    assert counts["dropped: blacklisted"] == 1
    assert counts["dropped: near a TSS"] == 24
    dataset = ad.read_h5ad(run.results / "dataset.h5ad")
    assert dataset.n_vars <= counts["windows"] == N_PEAKS - 25
    assert dataset.varm["codes"].shape[1] == 120
    pooled = ad.read_h5ad(run.results / "pools_expression.h5ad")
    assert pooled.obs_names.equals(dataset.obs_names)
    members = table(run, "cells_in_pools.tsv").query("pool == 'pool3'")["cell"]
    summed = expression[members].X.sum(axis=0)
    assert (pooled["pool3"].X.toarray() == summed).all()
    assert "SP1" in set(pooled.var["gene_name"])  # by the annotation: the counts have ids only
    genes = set(table(run, "scover/regulators.tsv")["gene"]) - {""}  # clusters without a TF
    assert genes and genes <= {f"ENSG{i}" for i in range(24)}
    run.snakemake("--report", "report.html", "--cores", "1", *wanted)
    assert (run.folder / "report.html").stat().st_size > 100_000


def test_two_files_pooled_on_the_peaks(peak_run):
    run = peak_run("two", **IN_TWO_FILES)
    run.snakemake("--cores", "2", "results/two/dataset.h5ad")
    cells = ad.read_h5ad(run.results / "cells.h5ad")
    expression = ad.read_h5ad(run.results / "cells_expression.h5ad")
    assert "X_pca" in cells.obsm
    assert "X_pca" not in expression.obsm
    pools = ad.read_h5ad(run.results / "pools.h5ad")
    assert pools.obs["purity"].mean() > 0.8  # peaks tell the two types apart
    assert set(pools.obs["cell_type"]) == {"A", "B"}


def test_peaks_alone_do_without_expression(peak_run):
    run = peak_run("alone", **ALONE)
    plan = run.plan()
    assert {"define_peaks", "correlate_gene_sets"} <= set(plan)  # the latter for annotations
    assert not {"find_regulators", "plot_regulators", "define_regions"} & set(plan)
    wanted = [
        f"results/alone/scover/{file}"
        for file in ("notes.tsv", "figures/marker_heatmap.svg", "figures/r2_over_folds.svg")
    ]
    run.snakemake("--cores", "2", *wanted)
    dataset = ad.read_h5ad(run.results / "dataset.h5ad")
    assert dataset.shape == (15, N_PEAKS)
    assert not (run.results / "pools_expression.h5ad").exists()
    assert set(dataset.obs["cell_type"]) == {"A", "B"}
    notes = table(run, "scover/notes.tsv")
    assert notes["about"].tolist() == ["gene sets", "regulators"]
    assert notes["note"].str.contains("no expression of genes").all()
    assert table(run, "scover/gene_sets.tsv").empty
    assert not table(run, "scover/annotations.tsv").empty  # `age`, which needs no expression
    assert not (run.results / "scover/figures/gene_set_heatmap.svg").exists()
    run.snakemake("--report", "report.html", "--cores", "1", *wanted)
    report = (run.folder / "report.html").read_text()
    assert "held-out peaks" in report
    assert "held-out genes" not in report and "promoter DNA" not in report
