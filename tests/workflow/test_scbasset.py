"""scBasset as the second family: alone, beside scover, without RNA, and after a kill."""

from __future__ import annotations

import copy
import os
import re
import signal

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT, Run
from test_crash import FAULTS

TINY_ATAC = {
    "name": "tiny",
    "seed": 1,
    "families": ["scbasset"],
    "simulation": {
        "multiome": {
            "n_peaks": 200,
            "n_genes": 100,
            "n_chromosomes": 2,
            "n_cells": 60,
            "site_range": 90,
            "activators": ["SP1", "NRF1"],
            "repressors": ["REST"],
            "cell_types": {"A": 0.5, "B": 0.5},
            "open_per_cell": 60,
            "rna_per_cell": 500,
        }
    },
    "peaks": {"length": 120},
    "cells": {"n_pcs": 12},
    "folds": {"n_folds": 4},
    "scbasset": {
        "folds": 2,
        "length": 120,
        "stem_filters": 8,
        "tower_filters": [8, 8],
        "last_filters": 8,
        "bottleneck": 6,
        "epochs": 4,
        "checkpoint_epochs": 1,
        "correct_batches": True,
        "shuffled_control": True,
        "search": {"batch_size": [32]},
    },
    "training": {"device": "cpu"},
}
POOLED = {
    "pools": {"n_pools": 15, "cells_per_pool": 8, "n_pcs": 8},
    "dataset": {"min_detected": 0.01, "weak_detected": 0.02},
    "scover": {"filters": 8},
    "tuning": {"trials": 1, "epochs": 3},
}


def changed(**sections):
    """Change sections of the tiny config, key by key."""
    config = copy.deepcopy(TINY_ATAC)
    for name, section in sections.items():
        config[name] = {**config.get(name, {}), **section} if isinstance(section, dict) else section
    return config


@pytest.fixture(scope="module")
def finished_atac(tmp_path_factory):
    """Give one whole run that all tests share and none changes."""
    run = Run(tmp_path_factory.mktemp("finished_atac"))
    run.configure(TINY_ATAC)
    run.snakemake("--cores", "2")
    return run


def table(run, path, **kwargs):
    return pd.read_csv(run.results / path, sep="\t", **kwargs)


def test_two_families_share_the_rules_of_training(new_run):
    plan = new_run(changed(families=["scover", "scbasset"], **POOLED)).plan()
    folds = TINY_ATAC["folds"]["n_folds"]
    assert plan["train_model"] == plan["tune_model"] == folds + TINY_ATAC["scbasset"]["folds"]
    assert plan["evaluate_model"] == folds
    assert plan["score_held_out"] == plan["train_shuffled"] == TINY_ATAC["scbasset"]["folds"]
    assert plan["split_folds"] == plan["split_peaks"] == plan["embed_cells"] == 1


def test_alone_it_needs_no_pools(new_run):
    plan = new_run(changed(scbasset={"folds": 1, "shuffled_control": False})).plan()
    assert plan["train_model"] == plan["lay_out_cells"] == 1
    absent = {"pool_cells", "build_dataset", "define_peaks", "split_folds", "train_shuffled"}
    assert not absent & set(plan)


def test_the_demo_plans_one_model():
    config = yaml.safe_load((ROOT / "config/demo_atac.yaml").read_text())
    assert config["families"] == ["scbasset"] and config["simulation"]["multiome"]


def test_a_finished_run_has_nothing_left_to_do(finished_atac):
    assert finished_atac.plan() == {}


def test_cells_peaks_and_sequences_are_joined(finished_atac):
    dataset = ad.read_h5ad(finished_atac.results / "accessibility.h5ad")
    steps = dict(table(finished_atac, "accessibility_counts.tsv").to_numpy())
    assert dataset.shape == (steps["cells"], steps["peaks"])
    assert dataset.X.format == "csr" and set(np.unique(dataset.X.data)) == {1}
    assert {"cell_type", "batch"} <= set(dataset.obs)
    assert dataset.varm["codes"].shape == (steps["peaks"], 120)
    assert dataset.varm["codes"].dtype == np.uint8
    dropped = sum(n for step, n in steps.items() if step.startswith("peaks dropped"))
    assert steps["peaks in the counts"] - dropped == steps["peaks"]


def test_scores_of_both_folds_and_of_the_control(finished_atac):
    scores = table(finished_atac, "scbasset/held_out.tsv")
    assert scores.groupby(["labels", "per"]).size().tolist() == [2] * 4
    assert scores["auroc"].between(0, 1).all()
    per_cell = table(finished_atac, "scbasset/fold0/held_out_per_cell.tsv")
    mean = per_cell["auroc"].mean()
    first = scores.query("labels == 'measured' and fold == 0 and per == 'cell'")
    assert first["auroc"].item() == pytest.approx(mean, abs=1e-4)
    history = table(finished_atac, "scbasset/fold0/history.tsv")
    assert {"train_auroc", "validation_auroc", "validation_loss"} <= set(history)
    assert len(history) == 4


def test_cells_are_laid_out_and_compared(finished_atac):
    cells = ad.read_h5ad(finished_atac.results / "scbasset/fold1/embedding.h5ad")
    assert cells.obsm["X_scbasset"].shape == (cells.n_obs, 6)
    assert {"X_umap", "X_tsne"} <= set(cells.obsm)
    assert {"leiden", "intercept", "cell_type", "batch"} <= set(cells.obs)
    assert "connectivities" in cells.obsp
    metrics = table(finished_atac, "scbasset/embedding_metrics.tsv", index_col="embedding")
    assert set(metrics.index) == {"scbasset_fold0", "scbasset_fold1", "lsi", "pca", "harmony"}
    assert {"ari", "kbet", "ilisi", "neighbor_score_10"} <= set(metrics)


def test_every_output_of_scbasset_is_explained(finished_atac):
    said = finished_atac.snakemake("--dry-run", "--detailed-summary")
    files = [line.split("\t")[0] for line in said.splitlines() if line.startswith("results/")]
    generic = {
        re.sub(r"/fold\d+/", "/fold{fold}/", file.removeprefix("results/tiny/")) for file in files
    }
    text = (ROOT / "docs/outputs.md").read_text(encoding="utf-8")
    text = text.replace("{family}/fold{fold}/", "scbasset/fold{fold}/")
    figures = {file for file in generic if "/figures/" in f"/{file}"}
    assert len(generic) > 20
    assert not {file for file in generic - figures if f"`{file}`" not in text}
    names = {file.rpartition("/")[2].rpartition(".")[0] for file in figures}
    assert not {name for name in names if f"`{name}`" not in text}


def test_the_report_is_made(finished_atac):
    finished_atac.snakemake("--report", "report.html", "--cores", "1")
    html = (finished_atac.folder / "report.html").read_text(encoding="utf-8")
    assert "scBasset" in html and "promoter DNA" not in html


@pytest.mark.parametrize(
    "change, rerun",
    [
        ("scbasset={embedding: {resolution: 2.0}}", {"lay_out_cells", "compare_embeddings"}),
        ("scbasset={shuffled_control: false}", {"gather_held_out", "plot_held_out"}),
        ("training={threads: 2}", set()),
    ],
)
def test_keys_that_leave_models_as_they_are_train_nothing_again(finished_atac, change, rerun):
    rules = set(finished_atac.plan("--config", change)) - {"write_provenance"}
    assert not rules & {"tune_model", "train_model", "train_shuffled"}
    assert rerun <= rules and bool(rerun) == bool(rules)


def test_peaks_alone_do_without_rna(new_run):
    config = changed(
        counts={"modality": "atac"}, scbasset={"folds": 1, "correct_batches": False, "epochs": 2}
    )
    run = new_run(config)
    run.snakemake("--cores", "2")
    assert not (run.results / "cells_expression.h5ad").exists()
    metrics = table(run, "scbasset/embedding_metrics.tsv")
    assert not [column for column in metrics if column.startswith("neighbor_score")]


def test_training_that_was_killed_goes_on_to_the_same_model(finished_atac, new_run):
    whole = finished_atac.tables()
    run = new_run(TINY_ATAC)
    target, kept = (f"scbasset/fold0/{file}" for file in ("model.pt", "training.checkpoint"))
    env = os.environ | {
        "PYTHONPATH": str(FAULTS),
        "KILL_WRITING": f"results/tiny/{kept}",
        "KILL_MOMENT": "after",
    }
    process = run.start("--cores", "2", f"results/tiny/{target}", env=env)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == -signal.SIGKILL, said[-3000:]
    assert (run.results / kept).exists() and not (run.results / target).exists()
    run.snakemake("--unlock")
    run.snakemake("--cores", "2", f"results/tiny/{target}")
    log = (run.folder / "logs/train_model/tiny.scbasset.fold0.log").read_text()
    assert "training goes on after epoch 1" in log
    assert not (run.results / kept).exists()
    made = run.tables()
    assert made == {path: whole[path] for path in made}
