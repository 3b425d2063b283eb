"""scXpresso from cells to bases that matter, and an ensemble that is killed while it is trained."""

from __future__ import annotations

import contextlib
import subprocess

import anndata as ad
import numpy as np
import pandas as pd
import pytest

TINY_POPULATIONS = {
    "name": "tiny",
    "seed": 1,
    "models": ["scxpresso"],
    "simulation": {"populations": {"n_genes": 400, "n_cells": 90, "n_chromosomes": 6}},
    "populations": {"levels": ["all_cells", "class"], "upstream": 600, "downstream": 40},
    "folds": {"n_folds": 2},
    "scxpresso": {
        "network": {"filters": 8, "pool": 40, "second_filters": 8, "second_pool": 8, "hidden": 8},
        "training": {"members": 3, "epochs": 40, "checkpoint_epochs": 1},
        "mutagenesis": {"n_genes": 2, "n_variable": 3},
    },
    "training": {"device": "cpu"},
    "comparison": {"k": 3, "both_strands": True, "bins": 1},
}
RESULTS = "results/tiny/scxpresso"
KILLS = 4


@pytest.fixture(scope="module")
def populations(tmp_path_factory, run_class):
    """Give a finished run."""
    run = run_class(tmp_path_factory.mktemp("populations"))
    run.configure(TINY_POPULATIONS)
    run.snakemake("--cores", "2")
    return run


def test_populations_are_learned_scored_and_mutated(populations):
    results = populations.folder / RESULTS
    assert populations.plan() == {}
    scores = pd.read_csv(results / "population_scores.tsv", sep="\t")
    simple = {"features", "flags", "kmer_ridge", "kmers_and_features"}
    assert set(scores["method"]) == {"scxpresso", "tissue", *simple}
    assert scores["population"].nunique() == 4 and scores["fold"].nunique() == 2
    predictions = ad.read_h5ad(results / "predictions.h5ad")
    assert np.isfinite(predictions.X).all() and predictions.shape == (4, 400)
    history = pd.read_csv(results / "fold0/history.tsv", sep="\t")
    assert set(history["member"]) == {0, 1, 2} and set(history["part"]) == {"all_cells", "class"}
    changes = pd.read_csv(results / "mutagenesis/differences.tsv", sep="\t")
    assert len(changes) == 2 * 640 and changes["difference"].abs().max() > 0


def test_an_ensemble_killed_at_random_goes_on_to_the_same_bytes(populations):
    target = f"{RESULTS}/fold0/model.pt"
    model, history = (
        populations.folder / RESULTS / "fold0" / x for x in ("model.pt", "history.tsv")
    )
    whole, told = model.read_bytes(), history.read_bytes()
    model.unlink()
    random = np.random.default_rng(0)
    for _ in range(KILLS):
        process = populations.start("--cores", "1", "--nolock", target)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=random.uniform(3, 12))
        populations.kill(process)
    populations.snakemake("--cores", "1", target)
    assert model.read_bytes() == whole and history.read_bytes() == told
