"""Regions, names and labels of the section `attributions` are those of the data."""

import pandas as pd
import pytest

from cisgrammar.checks.attributions import check_attributions
from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import CellSettings, InputFiles, Settings

SECTION = {
    **{"models": ["scover", "scxpresso"], "by": None, "labels": None, "differences": []},
    **{"bed": None, "names": None},
}


def findings(change, clusters=False, bed=None, folder=None):
    found = Findings(
        sizes={"chr1": 100},
        targets=pd.Index(["E1", "E2"]),
        tss=pd.DataFrame({"gene_name": ["GATA1", "SPI1"]}),
        labelled=pd.DataFrame({"cell_type": ["A", "class/b"], "batch": ["1", "2"]}),
        populations=pd.Index(["class/b", "all/all"]),
    )
    if bed is not None:
        (folder / "r.bed").write_text(bed)
        change = change | {"bed": str(folder / "r.bed")}
    settings = Settings(attributions=SECTION | change, cells=CellSettings(clusters=clusters))
    check_attributions(InputFiles("counts", "genome.fa", "work"), settings, found)
    return found


@pytest.mark.parametrize(
    "change, words",
    [
        ({"labels": ["a"], "models": ["scover"]}, "a is none of the 2 labels that scover predicts"),
        ({"labels": ["class/b", "A"]}, "A is none of the 2 labels that scxpresso predicts"),
        ({"differences": [["class/b", "B"]], "models": ["scxpresso"]}, "B is none"),
        ({"labels": ["3"], "by": "batch", "models": ["scover"]}, "3 is none"),
        ({"names": ["GATA2", "E1"]}, "(GATA2) are neither genes nor peaks of the data. Did you"),
    ],
)
def test_what_is_not_in_the_data_is_a_problem(change, words):
    assert words in findings(change).problems.messages[0]


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["class/b"]},
        {"labels": ["A"], "differences": [["A", "class/b"]], "models": ["scover"]},
        {"labels": ["2"], "by": "batch", "models": ["scover"]},
        {"labels": ["anything"], "by": "donor", "models": ["scover"]},  # known when it runs
        {"names": ["GATA1", "E2"]},
    ],
)
def test_what_is_in_the_data_is_none(change):
    assert findings(change).problems.messages == []


@pytest.mark.parametrize("name, problems", [("E1", 0), ("chr1:5-9", 0), ("E3", 1)])
def test_genes_beside_peaks_may_be_named(name, problems):
    found = Findings(targets=pd.Index(["chr1:5-9"]), genes=pd.Index(["E1", "E2"]))
    section = SECTION | {"models": [], "names": [name]}
    check_attributions(InputFiles("", "", ""), Settings(attributions=section), found)
    assert len(found.problems.messages) == problems


def test_labels_of_clusters_are_not_known_yet():
    change = {"labels": ["cluster 7"], "models": ["scover"]}
    assert findings(change, clusters=True).problems.messages == []


def test_regions_on_other_chromosomes_are_counted(tmp_path):
    found = findings({}, bed="1\t5\t9\nII\t5\t9\n", folder=tmp_path)
    assert found.table().iloc[0].tolist() == [
        *("regions to explain", "1 of 2", "warning", "1 are on other chromosomes and left out"),
    ]


@pytest.mark.parametrize(
    "bed, words", [("II\t5\t9\n", "none of its chromosomes (II)"), ("x\n", "r.bed")]
)
def test_regions_of_another_genome_or_no_bed_are_a_problem(tmp_path, bed, words):
    assert words in findings({}, bed=bed, folder=tmp_path).problems.messages[0]


def test_nothing_is_checked_without_the_section():
    found = Findings()
    check_attributions(InputFiles("c", "g", "w"), Settings(), found)
    assert found.table().empty
