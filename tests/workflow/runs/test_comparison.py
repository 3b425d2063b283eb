"""Baselines, controls and data given as sequences and targets, in small runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import read_h5ad

from cisgrammar.common.files import read_table
from cisgrammar.evaluate.baselines import METHODS

RULES = {
    "scan_motifs",
    "list_hits",
    "run_baselines",
    "train_controls",
    "remove_filters",
    "estimate_ceiling",
}
GIVEN = {
    "name": "tiny",
    "models": ["scover"],
    "seed": 1,
    "folds": {"n_folds": 1, "test_chromosomes": ["chr2"], "validation_chromosomes": ["chr3"]},
    "scover": {
        "network": {"filters": 8, "width": 6},
        "search": {"learning_rate": [0.01, 0.02], "batch_size": [16, 32]},
    },
    "tuning": {"trials": 2, "epochs": 3},
    "training": {"epochs": 10, "patience": 5, "device": "cpu"},
    "motifs": {"min_sequences": 2},
    "comparison": {"k": 3, "trees": 2, "baselines": [*METHODS], "list_hits": True},
}


def given_files(folder, n=240, length=40):
    """Write sequences of which half have AGATAA planted, which is their target."""
    rng = np.random.default_rng(0)
    names = [f"chr{i % 3 + 1}:{i * 100}-{i * 100 + length}" for i in range(n)]
    has = rng.random(n) < 0.5
    sequences = ["".join(rng.choice(list("ACGT"), length)) for _ in range(n)]
    sequences = [s[:9] + "AGATAA" + s[15:] if h else s for s, h in zip(sequences, has, strict=True)]
    fasta = "".join(f">{name}\n{s}\n" for name, s in zip(names, sequences, strict=True))
    (folder / "s.fa").write_text(fasta)
    targets = pd.DataFrame({"id": names, "on": has.astype(int), "off": 1 - has.astype(int)})
    targets.to_csv(folder / "t.tsv", sep="\t", index=False)
    return {"fasta": str(folder / "s.fa"), "targets": str(folder / "t.tsv")}


def test_every_method_is_in_the_table_of_every_fold(finished):
    folder = finished.results / "scover"
    table = read_table(folder / "comparison.tsv")
    assert not table.duplicated(["method", "fold"]).any()
    counts = table["method"].value_counts()
    expected = {"scover", *METHODS} - {"kmer_logistic"}
    expected |= {"shuffled_nucleotides", "shuffled_dinucleotides", "permuted_pools"}
    expected |= {"only_aligned", "only_non_aligned"}
    assert expected <= set(counts.index)
    assert (counts == 2).all()
    others = set(counts.index) - expected
    assert all(method.startswith("without_") for method in others)
    evaluation = read_table(folder / "evaluation.tsv").query("fold in ['0', '1']")
    mine = table[table["method"] == "scover"]
    assert mine["r2"].tolist() == evaluation["r2"].tolist()
    differences = read_table(folder / "paired_differences.tsv")
    assert set(differences["method"]) == set(counts.index) - {"scover"}
    costs = finished.folder / "benchmarks/results/tiny/comparison_costs.scover.tsv"
    assert set(read_table(costs)["method"]) == {
        method for method in expected if not method.startswith("only")
    }
    assert "scover explains" in (folder / "comparison.html").read_text()


@pytest.mark.parametrize(
    "comparison, rules",
    [
        ({}, RULES - {"list_hits"}),
        ({"list_hits": True}, RULES),
        ({"baselines": ["gc", "kmer_ridge"]}, RULES - {"list_hits", "scan_motifs"}),
        ({"baselines": []}, RULES - {"list_hits", "scan_motifs", "run_baselines"}),
        ({"controls": ["removed_filters"]}, RULES - {"list_hits", "train_controls"}),
        ({"controls": ["permuted_pools"]}, RULES - {"list_hits", "remove_filters"}),
        ({"baselines": [], "controls": []}, {"estimate_ceiling"}),
    ],
)
def test_switches_decide_which_jobs_there_are(new_run, tiny_config, comparison, rules):
    plan = new_run({**tiny_config, "comparison": comparison}).plan()
    assert RULES & set(plan) == rules
    assert plan["gather_comparison"] == plan["plot_comparison"] == 1


def test_pools_of_one_cell_have_no_noise_ceiling(new_run, tiny_config):
    pools = {**tiny_config["pools"], "cells_per_pool": 1}
    assert "estimate_ceiling" not in new_run({**tiny_config, "pools": pools}).plan()


def test_sequences_and_targets_are_enough(new_run, tmp_path):
    run = new_run({**GIVEN, "given": given_files(tmp_path)})
    run.snakemake("--cores", "2")
    folds = read_table(run.results / "folds.tsv").set_index("chrom")["fold0"]
    assert folds.groupby("chrom").unique().map(list).to_dict() == {
        "chr1": ["train"],
        "chr2": ["test"],
        "chr3": ["validation"],
    }
    table = read_table(run.results / "scover/comparison.tsv").set_index("method")
    assert set(METHODS) < set(table.index)
    assert table.loc["kmer_logistic", "mean_auroc"] > 0.7
    assert table.loc["mean", "mean_auroc"] == 0.5
    evaluation = read_table(run.results / "scover/evaluation.tsv")
    assert evaluation.loc[0, "mean_auroc"] == table.loc["scover", "mean_auroc"]
    assert read_h5ad(run.results / "scover/influence.h5ad").obs_names.tolist() == ["on", "off"]
    hits = read_table(run.results / "motif_hits.tsv")
    assert hits["p-value"].max() <= 1e-4
    assert not (run.results / "cells.h5ad").exists()
    assert run.plan() == {}


@pytest.mark.parametrize(
    "file, old, new, target, message",
    [
        ("targets", "chr", "peak", "dataset.h5ad", "none of its 240 names"),
        ("both", ":", ".", "folds.tsv", "no sequence is on chr2"),
        (
            "targets",
            "\t0\n",
            "\t0.5\n",
            "baselines/fold0/scores.tsv",
            "kmer_logistic predicts classes",
        ),
    ],
    ids=["names", "places", "classes"],
)
def test_bad_data_are_refused_in_words(new_run, tmp_path, file, old, new, target, message):
    given = given_files(tmp_path)
    for path in given.values() if file == "both" else [given[file]]:
        Path(path).write_text(Path(path).read_text().replace(old, new))
    run = new_run({**GIVEN, "given": given, "comparison": {"baselines": ["kmer_logistic"]}})
    said = run.snakemake("--cores", "1", f"results/tiny/{target}", fails=True)
    assert message in said
    assert not (run.results / target).exists()
