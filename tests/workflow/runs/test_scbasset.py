"""scBasset as the second model: alone, beside scover, without RNA, and after a kill."""

from __future__ import annotations

import copy
import os
import re
import shutil
import signal

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import FAULTS, ROOT, Run

TINY_ATAC = {
    "name": "tiny",
    "seed": 1,
    "models": ["scbasset"],
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
    "accessibility": {"length": 120},
    "scbasset": {
        "network": {
            "stem_filters": 8,
            "tower_filters": [8, 8],
            "last_filters": 8,
            "bottleneck": 6,
        },
        "training": {
            "folds": 2,
            "epochs": 4,
            "checkpoint_epochs": 1,
            "correct_batches": True,
            "shuffled_control": True,
        },
        "search": {"batch_size": [32]},
        "denoising": {"n_peaks": 30, "n_genes": 20},
        "tf_activity": {"motifs": ["SP1", "NRF1", "REST"], "n_backgrounds": 20},
        "mutagenesis": {"n_regions": 2, "n_shuffled": 1},
    },
    "training": {"device": "cpu"},
}
POOLED = {
    "pools": {"n_pools": 15, "cells_per_pool": 8, "n_pcs": 8},
    "dataset": {"min_detected": 0.01, "weak_detected": 0.02},
    "scover": {"network": {"filters": 8}},
    "tuning": {"trials": 1, "epochs": 3},
}


def changed(**sections):
    """Change sections of the tiny config, key by key."""
    return merged(TINY_ATAC, sections)


def merged(config, changes):
    """Give a config with some of its keys changed, also those of sections in sections."""
    config = copy.deepcopy(config)
    for key, value in changes.items():
        is_section = isinstance(value, dict) and isinstance(config.get(key), dict)
        config[key] = merged(config[key], value) if is_section else value
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


def test_two_models_share_the_rules_of_training(new_run):
    plan = new_run(changed(models=["scover", "scbasset"], **POOLED)).plan()
    folds, own = TINY_ATAC["folds"]["n_folds"], TINY_ATAC["scbasset"]["training"]["folds"]
    assert plan["train_model"] == plan["tune_model"] == folds + own
    assert plan["evaluate_model"] == folds
    assert plan["score_held_out"] == plan["score_kmers"] == plan["train_shuffled"] == own
    assert plan["split_folds"] == plan["split_peaks"] == plan["embed_cells"] == 1


def test_alone_it_needs_no_pools(new_run):
    plan = new_run(changed(scbasset={"training": {"folds": 1, "shuffled_control": False}})).plan()
    assert plan["train_model"] == plan["lay_out_cells"] == 1
    absent = {"pool_cells", "build_dataset", "define_peaks", "split_folds", "train_shuffled"}
    absent |= {"try_depth"}
    assert not absent & set(plan)


def test_the_demo_plans_one_model():
    config = yaml.safe_load((ROOT / "config/demo_atac.yaml").read_text())
    assert config["models"] == ["scbasset"] and config["simulation"]["multiome"]


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
    assert scores.groupby(["labels", "per"]).size().tolist() == [2] * 6
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
    text = text.replace("{model}/fold{fold}/", "scbasset/fold{fold}/")
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
        ({"scbasset": {"embedding": {"resolution": 2}}}, {"lay_out_cells", "compare_embeddings"}),
        (
            {"scbasset": {"training": {"shuffled_control": False}}},
            {"gather_held_out", "plot_held_out"},
        ),
        ({"scbasset": {"tf_activity": {"change_of": "accessibility"}}}, {"score_tf_activity"}),
        ({"scbasset": {"mutagenesis": {"n_regions": 1}}}, {"choose_regions", "mutate_regions"}),
        ({"figures": {"n_motifs": 2}}, {"plot_tf_activity"}),
        ({"tuning": {"trials": 5}}, set()),  # there is nothing to choose from
        ({"scbasset": {"training": {"checkpoint_epochs": 2}}}, set()),
        ({"training": {"threads": 2}}, set()),
    ],
)
def test_keys_that_leave_models_as_they_are_train_nothing_again(finished_atac, change, rerun):
    finished_atac.configure(changed(**change))
    rules = set(finished_atac.plan()) - {"write_provenance"}
    finished_atac.configure(TINY_ATAC)
    assert not rules & {"tune_model", "train_model", "train_shuffled"}
    assert "score_tf_activity" not in rules or "tf_activity" in str(change)
    assert rerun <= rules and bool(rerun) == bool(rules)


def test_peaks_alone_do_without_rna(new_run):
    training = {"folds": 1, "correct_batches": False, "epochs": 2}
    config = changed(counts={"modality": "atac"}, scbasset={"training": training})
    run = new_run(config)
    run.snakemake("--cores", "2")
    assert not (run.results / "cells_expression.h5ad").exists()
    metrics = table(run, "scbasset/embedding_metrics.tsv")
    assert not [column for column in metrics if column.startswith("neighbor_score")]
    notes = table(run, "scbasset/notes.tsv").set_index("about")["note"]
    assert "no RNA" in notes["expression"]
    assert table(run, "scbasset/agreement_per_cell.tsv")["r_denoised"].isna().all()
    assert set(table(run, "scbasset/tf_activity_and_expression.tsv")["note"]) == {"no expression"}
    assert not (run.results / "scbasset/figures/accessibility_against_expression.svg").exists()


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


def test_peaks_and_genes_are_denoised(finished_atac):
    folder = finished_atac.results / "scbasset"
    dataset = ad.read_h5ad(finished_atac.results / "accessibility.h5ad")
    peaks, genes = (ad.read_h5ad(folder / f"{x}.h5ad") for x in ("denoised_peaks", "gene_scores"))
    assert peaks.shape == (dataset.n_obs, 30) and genes.shape == (dataset.n_obs, 20)
    assert ((peaks.X > 0) & (peaks.X < 1)).all()
    pairs = table(finished_atac, "scbasset/promoter_peaks.tsv")
    assert set(pairs["peak"]) <= set(dataset.var_names)
    of_types = table(finished_atac, "scbasset/gene_scores_by_cell_type.tsv", index_col="gene")
    assert of_types.index.tolist() == pairs["gene"].drop_duplicates().tolist()
    means = genes.to_df().groupby(genes.obs["cell_type"], observed=True).mean().T
    np.testing.assert_allclose(of_types.loc[means.index, means.columns], means, rtol=1e-4)
    assert table(finished_atac, "scbasset/agreement_per_cell.tsv")["r_denoised"].notna().all()
    assert table(finished_atac, "scbasset/notes.tsv").empty


def test_activity_of_the_motifs_that_were_asked_for(finished_atac):
    activity = ad.read_h5ad(finished_atac.results / "scbasset/tf_activity.h5ad")
    found = {tf.upper() for tfs in activity.var["tfs"] for tf in tfs.split(";")}
    assert found == {"SP1", "NRF1", "REST"}
    np.testing.assert_allclose(activity.X.mean(axis=0), 0, atol=1e-4)
    tests = table(finished_atac, "scbasset/tf_activity_and_expression.tsv")
    assert tests["r"].between(-1, 1).all() and (tests["fdr"] >= tests["p"]).all()
    summary = table(finished_atac, "scbasset/truth/summary.tsv", index_col="metric")["value"]
    assert summary["planted_motifs"] == 3


def test_regions_are_mutated_and_drawn(finished_atac):
    folder = finished_atac.results / "scbasset/mutagenesis"
    regions = table(finished_atac, "scbasset/mutagenesis/regions.tsv")
    effects = ad.read_h5ad(folder / "effects.h5ad")
    assert regions["chosen_for"].tolist() == ["A", "B"]
    assert effects.n_obs == (regions["end"] - regions["start"]).sum()
    assert set(effects.layers) == set("ACGT") and effects.var_names.tolist() == ["A", "B"]
    drawn = sorted(path.suffix for path in (folder / "logos").glob("0*"))
    assert drawn == [".png", ".png", ".svg", ".svg"]


def test_fewer_fragments_cost_a_training_each_where_asked_for(finished_atac, tmp_path):
    run = Run(shutil.copytree(finished_atac.folder, tmp_path / "copy"))
    shares = {"downsampling": {"shares": [0.5, 0.1]}}
    run.configure(changed(scbasset=shares))
    plan = run.plan()
    assert plan["try_depth"] == 3 and plan["plot_depths"] == 1 and "train_model" not in plan
    run.snakemake("--cores", "2", "results/tiny/scbasset/downsampling.tsv")
    depths = table(run, "scbasset/downsampling.tsv").pivot_table("value", "share", "measure")
    assert depths.index.tolist() == [0.1, 0.5, 1]
    assert depths["open_share"].is_monotonic_increasing
    shares["downsampling"]["shares"] += [0.3]
    run.configure(changed(scbasset=shares))
    assert run.plan()["try_depth"] == 1
