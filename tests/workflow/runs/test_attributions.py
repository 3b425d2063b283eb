"""The section `attributions` on a finished run."""

from __future__ import annotations

import h5py
import pandas as pd
import pytest

SECTION = {"method": "gradient", "differences": [["A", "B"]], "max_sequences": 12, "n_figures": 1}


def test_bases_are_explained_label_by_label_and_drawn(finished_copy, tiny_config):
    run = finished_copy
    run.configure({**tiny_config, "attributions": SECTION})
    expected = {"attribute_bases", "plot_attributions", "discover_patterns", "plot_patterns"}
    expected |= {"find_pattern_regulators"}
    expected |= {"write_provenance", "write_summary"}
    assert set(run.plan()) - expected == set()
    run.snakemake("--cores", "2")
    folder = run.results / "scover/attributions"
    labels = pd.read_csv(folder / "labels.tsv", sep="\t", keep_default_na=False)
    assert labels["file"].tolist() == ["01_A", "02_B", "03_C", "04_A_B"]
    assert (labels["sequences"] == 12).all()
    counts = pd.read_csv(folder / "counts.tsv", sep="\t")
    assert counts["sequences"].sum() == int(read_folds(run)), "all held-out ones are told of"
    for row in labels.itertuples():
        with h5py.File(folder / f"contributions/{row.file}.h5") as file:
            assert file["contributions"].shape == (12, 160)
        assert (folder / f"tracks/{row.file}.bw").stat().st_size > 1000
        assert (folder / f"logos/{row.file}_01.png").stat().st_size > 5000
    seqlets = pd.read_csv(folder / "seqlets.tsv", sep="\t", keep_default_na=False)
    assert len(seqlets) == labels["seqlets"].sum()
    assert (folder / "patterns.meme").is_file(), "also where there are too few sequences"
    assert (run.results / "scover/figures/pattern_logos.png").is_file()
    # what changes the figures alone asks no model again
    run.configure({**tiny_config, "attributions": SECTION | {"n_figures": 2}})
    assert "attribute_bases" not in run.plan()


def read_folds(run) -> int:
    folds = pd.read_csv(run.results / "folds.tsv", sep="\t")
    return (folds[["fold0", "fold1"]] == "test").any(axis=1).sum()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"models": ["scbasset"]}, "is not among `models`"),
        ({"bed": "absent.bed"}, "no such file"),
        ({"differences": [["A"]]}, "attributions.differences"),
        ({"bed": "x.bed", "names": ["G1"]}, "Take out one of them"),
    ],
)
def test_what_is_wrong_with_the_section_is_told_before_anything_runs(
    new_run, tiny_config, change, words
):
    run = new_run({**tiny_config, "attributions": change})
    assert words in run.snakemake("-n", fails=True)
