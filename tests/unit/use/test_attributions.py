"""What bases contribute in windows of a genome, as numbers and as files."""

import h5py
import numpy as np
import pandas as pd
import pyBigWig
import pytest
from made_trained import LENGTH, STARTS, made_results

import cisgrammar
from cisgrammar.common.errors import InputError
from cisgrammar.genome.sequence import decode, reverse_complement
from cisgrammar.interpret.attributions import METHODS
from cisgrammar.motifs.meme import Motif, write_meme
from cisgrammar.use.attribution_files import (
    chromosome_sizes,
    seqlet_table,
    write_bigwig,
    write_seqlets,
)
from cisgrammar.use.attributions import Attributions, attribute, contrast
from cisgrammar.use.command import main


@pytest.fixture
def trained(tmp_path):
    return cisgrammar.load(made_results(tmp_path))


def region(start, end, chrom="chr1", name="r"):
    return pd.DataFrame([(chrom, start, end, name)], columns=["chrom", "start", "end", "name"])


def test_contributions_are_those_of_the_fold_that_never_saw_the_sequence(trained):
    found, left_out = attribute(trained, "ism", by="cell_type", label="01")
    assert found.windows.index.tolist() == ["G0", "G1", "G2", "G3", "G4"]  # no fold tests G5
    assert found.windows["fold"].tolist() == ["0", "0", "0", "1", "1"]
    assert left_out.empty
    codes, position = found.codes[3].copy(), 7
    each = []
    for base in range(4):
        codes[position] = base
        each.append(codes.copy())
    by_hand = trained.predicted(1, np.stack(each), trained.labels("cell_type"))[:, 0]
    np.testing.assert_allclose(
        found.hypothetical[3, :, position], by_hand - by_hand.mean(), atol=1e-5
    )


def test_deeplift_explains_predictions_minus_baselines(trained):
    found, _ = attribute(trained, by="cell_type", label="01", minus="NA", n_references=3)
    windows = found.windows
    sums = found.contributions.sum(axis=1)
    np.testing.assert_allclose(sums, windows["prediction"] - windows["baseline"], atol=1e-4)
    predicted = trained.predicted(0, found.codes[:1], trained.labels("cell_type"))[0]
    assert windows["prediction"].iloc[0] == pytest.approx(predicted[0] - predicted[1], rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_difference_is_the_difference_of_contributions(trained, method):
    one, other, both = (
        attribute(trained, method, by="cell_type", **labels, n_shuffled=2)[0].hypothetical
        for labels in ({"label": "01"}, {"label": "NA"}, {"label": "01", "minus": "NA"})
    )
    np.testing.assert_allclose(both, one - other, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_all_folds_are_averaged(trained, method):
    found, _ = attribute(trained, method, all_folds=True)
    assert len(found.windows) == 6 and (found.windows["fold"] == "").all()
    held_out, _ = attribute(trained, method)
    other = {fold: cisgrammar.load(trained_folder(trained)) for fold in (0, 1)}
    for fold, alone in other.items():
        for model in set(alone.models) - {fold}:
            del alone.models[model]  # type: ignore[attr-defined]
    each = [attribute(alone, method, all_folds=True)[0].hypothetical for alone in other.values()]
    np.testing.assert_allclose(found.hypothetical, np.mean(each, axis=0), atol=1e-5)
    np.testing.assert_allclose(held_out.hypothetical[:3], each[0][:3], atol=1e-5)


def trained_folder(trained):
    from pathlib import Path

    return Path(trained.dataset.filename).parent / "scover"


@pytest.mark.parametrize("method", METHODS)
def test_regions_are_asked_in_every_window_and_along_its_strand(trained, method):
    found, left_out = attribute(trained, method, regions=region(25, 35))
    assert found.windows.index.tolist() == ["G0", "G1"] and left_out.empty
    asked = ~np.isnan(found.contributions)
    assert np.flatnonzero(asked[0]).tolist() == list(range(25, 35))
    # G1 lies on the minus strand, from 20 to 60: its first base is at 59
    assert np.flatnonzero(asked[1]).tolist() == list(range(25, 35))
    whole, _ = attribute(trained, method, names=["G0", "name1"])
    np.testing.assert_allclose(found.contributions[asked], whole.contributions[asked], atol=1e-5)


def test_a_region_over_a_windows_edge_is_cut(trained):
    found, _ = attribute(trained, "ism", regions=region(15, 25))
    asked = [np.flatnonzero(~np.isnan(its)).tolist() for its in found.contributions]
    assert asked == [list(range(15, 25)), list(range(35, 40))]


def test_regions_in_no_window_and_windows_that_no_fold_tests_are_told(trained):
    regions = pd.concat([region(0, 5), region(90, 95, name="gap"), region(310, 320, name="G5")])
    found, left_out = attribute(trained, "ism", regions=regions)
    assert found.windows.index.tolist() == ["G0"]
    assert left_out[["name", "reason"]].to_numpy().tolist() == [
        ["gap", "in no window"],
        ["G5", "no fold has tested a window there"],
    ]


@pytest.mark.parametrize(
    "asked, words",
    [
        ({"label": "B", "by": "cell_type"}, r"`B` is none of the 2 values of `cell_type`.*01, NA"),
        ({"label": "01"}, r"none of the 4 targets.*--by cell_type"),
        ({"label": "01", "by": "type"}, "has the columns|have the columns cell_type"),
        ({"minus": "01", "by": "cell_type"}, "`label`, which has to be named"),
        ({"label": "01", "minus": "01", "by": "cell_type"}, "another one"),
        ({"names": ["G0", "G99"]}, r"1 of 2 names \(G99\)"),
        ({"names": ["G5"]}, r"1 no fold has tested.*--all-folds"),
        ({"regions": region(90, 95)}, "1 in no window.*another assembly"),
        ({"regions": region(0, 5, "chrX")}, "1 in no window"),
        ({"regions": region(0, 5), "names": ["G0"]}, "not both"),
        ({"n_references": 0}, "one shuffle of it or more"),
    ],
)
def test_what_cannot_be_explained_is_told(trained, asked, words):
    with pytest.raises(InputError, match=words):
        attribute(trained, "gradient", **asked)


def test_labels_weigh_their_targets(trained):
    found = contrast(trained, "cell_type", "NA", "01")
    assert found.tolist() == [-0.5, -0.5, 0.5, 0.5]
    assert contrast(trained, None, "pool2").tolist() == [0, 0, 1, 0]
    assert contrast(trained, None, None).tolist() == [0.25] * 4


def made(values, starts, strands, codes=None):
    """Contributions by hand, in windows on chr1."""
    values = np.asarray(values, dtype=np.float32)
    codes = np.zeros(values.shape, dtype=np.uint8) if codes is None else codes
    hypothetical = np.zeros((len(values), 4, values.shape[1]), dtype=np.float32)
    np.put_along_axis(hypothetical, codes[:, None].astype(int), values[:, None], axis=1)
    windows = pd.DataFrame(
        {
            "chrom": "chr1",
            "start": starts,
            "end": np.add(starts, values.shape[1]),
            "strand": strands,
        },
        [f"G{i}" for i in range(len(values))],
    )
    chance = np.full((20, values.shape[1]), 1e-3)
    return Attributions(windows, codes, hypothetical, chance, "ism", None, None)


def test_a_track_is_in_the_genomes_coordinates_and_windows_are_averaged(tmp_path):
    found = made([[1, 2, 3, np.nan], [10, 20, 30, 40], [7, 7, 7, 7]], [2, 4, 8], ["+", "-", "+"])
    write_bigwig(found, {"chr0": 5, "chr1": 10}, tmp_path / "x.bw")
    with pyBigWig.open(str(tmp_path / "x.bw")) as track:
        assert track.chroms() == {"chr0": 5, "chr1": 10}
        values = track.values("chr1", 0, 10)
    # the minus window reads 40 at 4; what is beyond the chromosome's end is left out
    expected = [np.nan, np.nan, 1, 2, (3 + 40) / 2, 30, 20, 10, 7, 7]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_seqlets_of_both_strands_are_one_place_in_the_genome(tmp_path):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 60, dtype=np.uint8)
    values = np.zeros(60)
    values[20:30] = 0.8 + np.arange(10) / 50
    found = made(
        np.stack([values, values[::-1]]),
        [1000, 1000],
        ["+", "-"],
        np.stack([codes, reverse_complement(codes)]),
    )
    noise = rng.dirichlet([1] * 4, (60, 10)).transpose(0, 2, 1)
    motifs = [Motif(f"n{i}", matrix) for i, matrix in enumerate(noise)]
    planted = np.full((4, 10), 0.02)
    planted[codes[20:30], np.arange(10)] = 0.94
    table = seqlet_table(found, [*motifs, Motif("planted", planted, alt="TF 1")])
    places = ["sequence", "start", "end", "motif", "motif_strand", "motif_start", "motif_end"]
    assert table[places].to_numpy().tolist() == [
        ["G0", 1020, 1030, "planted", "+", 1020, 1030],
        ["G1", 1020, 1030, "planted", "+", 1020, 1030],
    ]
    write_seqlets(table, tmp_path / "x.bed")
    line = "chr1\t1020\t1030\tplanted_TF_1\t1000\t+"
    assert (tmp_path / "x.bed").read_text().splitlines() == [line, line]
    write_seqlets(table.iloc[:0], tmp_path / "none.bed")
    assert (tmp_path / "none.bed").read_text() == ""


def test_sizes_of_chromosomes_come_from_the_genomes_index(tmp_path):
    windows = pd.DataFrame({"chrom": ["chr1", "chr2"], "end": [50, 70]})
    assert chromosome_sizes(tmp_path, windows) == {"chr1": 50, "chr2": 70}
    (tmp_path / "genome").mkdir()
    lines = "".join(f"chr{i}\t{i}00\t0\t60\t61\n" for i in (1, 2, 3))
    (tmp_path / "genome/g.fai").write_text(lines)
    assert chromosome_sizes(tmp_path, windows) == {"chr1": 100, "chr2": 200, "chr3": 300}


@pytest.mark.parametrize("method", METHODS)
def test_the_command_writes_numbers_tracks_and_figures(tmp_path, capsys, method):
    model, out, bed = made_results(tmp_path), tmp_path / "out", tmp_path / "r.bed"
    bed.write_text("chr1\t0\t60\tr\nchr1\t90\t95\tgap\n")
    write_meme([Motif("M", np.full((4, 5), 0.25))], tmp_path / "m.meme")
    asked = ["attributions", str(model), "--regions", str(bed), "--by", "cell_type"]
    asked += ["--label", "01", "--minus", "NA", "--method", method, "--output", str(out)]
    assert main([*asked, "--motifs", str(tmp_path / "m.meme"), "--figures", "1"]) == 0
    assert "1 left out: in no window" in capsys.readouterr().out
    with h5py.File(out / "contributions.h5") as file:
        assert dict(file.attrs) == {"method": method, "label": "01", "minus": "NA"}
        assert [name.decode() for name in file["sequence"]] == ["G0", "G1"]
        assert file["hypothetical"].shape == (2, 4, LENGTH)
        values = file["contributions"][:]
    with pyBigWig.open(str(out / "contributions.bw")) as track:
        one, other = values[0], values[1, ::-1]  # 0 to 40, and 20 to 60 from the other strand
        expected = [*one[:20], *(one[20:] + other[:20]) / 2, *other[20:]]
        np.testing.assert_allclose(track.values("chr1", 0, 60), expected, atol=1e-5)
    assert {path.name for path in (out / "figures").iterdir()} == {"01.png", "01.svg"}
    assert (out / "seqlets.tsv").read_text().startswith("sequence\tchrom\tstart\tend")
    assert (out / "seqlets.bed").exists()


def test_the_command_tells_problems_in_words(tmp_path, capsys):
    asked = ["attributions", str(made_results(tmp_path)), "--output", str(tmp_path / "out")]
    assert main([*asked, "--by", "cell_type", "--label", "B"]) == 1
    assert "`B` is none of the 2 values" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_windows_read_as_the_genome_does(trained):
    found, _ = attribute(trained, "gradient", names=["G1"])
    assert found.windows["start"].tolist() == [STARTS[1]]
    plus = decode(reverse_complement(found.codes[0]))
    first, _ = attribute(trained, "gradient", names=["G0"])
    assert plus[:20] == decode(first.codes[0])[20:]
