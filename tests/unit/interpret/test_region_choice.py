import pandas as pd
import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.interpret.region_choice import asked_regions, mutated_windows, peaks_as_regions

PEAKS = pd.DataFrame(
    {"chrom": ["chr1", "chr2"], "start": [100, 500], "end": [300, 700]}, index=["one", "two"]
)
SIZES = {"chr1": 1000, "chr2": 1000}


def test_regions_by_name_and_by_place():
    table = asked_regions(["two", "chr1:1,040-1,060"], PEAKS)
    assert table[["chrom", "start", "end"]].to_numpy().tolist() == [
        ["chr2", 500, 700],
        ["chr1", 1040, 1060],
    ]
    assert table["region"].tolist() == ["two", "chr1:1,040-1,060"]


def test_a_word_that_is_neither_is_told():
    with pytest.raises(InputError, match=r"'tow' is neither a peak's name .*Did you mean.*two"):
        asked_regions(["tow"], PEAKS)


def test_chosen_peaks_say_what_for():
    table = peaks_as_regions([(1, "B"), (0, "A")], PEAKS)
    assert table["region"].tolist() == ["two", "one"]
    assert table["chosen_for"].tolist() == ["B", "A"]


def test_windows_are_centred_and_long_regions_cut(caplog):
    caplog.set_level("INFO")
    table = mutated_windows(asked_regions(["one", "chr2:590-610"], PEAKS), SIZES, 100)
    assert table["window_start"].tolist() == [150, 550]
    assert table[["start", "end"]].to_numpy().tolist() == [[150, 250], [590, 610]]
    assert "1 of 2 regions are cut to the 100 bases read" in caplog.text


def test_chromosomes_are_matched_by_rule():
    table = mutated_windows(asked_regions(["2:10-20"], PEAKS), SIZES, 100)
    assert table["chrom"].tolist() == ["chr2"]


@pytest.mark.parametrize(
    "asked, words",
    [
        (["one", "one"], "come twice"),
        (["chr9:1-5"], r"chr9.*FASTA"),
        (["one", "chr2:990-1012"], "1 of 2 regions lie beyond .*first chr2:990-1012 around 1,001"),
    ],
)
def test_bad_regions_stop(asked, words):
    with pytest.raises(InputError, match=words):
        mutated_windows(asked_regions(asked, PEAKS), SIZES, 100)
