"""Promoters, candidates and files of truth are looked at before anything runs."""

import pandas as pd
import pytest

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.links import check_links
from cisgrammar.checks.settings import InputFiles, Settings

FILES = InputFiles("rna.h5ad", "genome.fa", "work", peak_counts="atac.h5ad")
PEAKS = ["chr1:900-1100", "chr1:5900-6100", "chr1:50900-51100", "chr2:100-300"]
GENES = {"A": ("chr1", 1000), "B": ("chr1", 51300), "C": ("chr1", 20000), "D": ("chr2", 200)}
PAIRS = "chrom\tchromStart\tchromEnd\tmeasuredGeneSymbol\tRegulated\n"


def findings(genes=GENES, truth=None, reach=10000, peaks=PEAKS):
    rows = [(name, name, *place, "+") for name, place in genes.items()]
    tss = pd.DataFrame(rows, columns=["gene_id", "gene_name", "chrom", "tss", "strand"])
    found = Findings(targets=pd.Index(peaks), genes=pd.Index(genes), tss=tss)
    section = {"reach": reach, "promoter_reach": 500, "truth": truth or {}}
    check_links(FILES, Settings(links=section), found)
    return found


def test_genes_that_links_leave_out_are_counted_by_reason():
    (row,) = findings().table().to_dict("records")
    assert row["found"] == "1 of 4 genes, 1 pairs"
    assert row["status"] == "warning"
    assert set(row["note"].split("; ")) == {
        "no peak at the promoter: 1", "no other peak within reach: 2",
    }  # fmt: skip


def test_most_genes_with_links_are_no_warning():
    few = {name: GENES[name] for name in ("A", "B")}
    (row,) = findings(few, reach=100_000).table().to_dict("records")
    assert (row["found"], row["status"], row["note"]) == ("2 of 2 genes, 4 pairs", "ok", "")


def test_no_gene_with_a_promoter_is_a_problem():
    found = findings({"C": GENES["C"]})
    (message,) = found.problems.messages
    assert "of 1 genes none has a peak at its promoter" in message
    assert found.table().empty


def test_names_that_are_no_places_are_a_problem():
    (message,) = findings(peaks=["peak1", "peak2"]).problems.messages
    assert "atac.h5ad" in message
    assert "peak1" in message


SOUND = {
    "pairs": (PAIRS + "chr1\t900\t1100\tA\tTRUE\nchr1\t1\t9\tB\tFALSE\n", "2 rows"),
    "enhancers": ("chr1\t900\t1100\n", "1 rows"),
    "interactions": ("chr1\t900\t1100\tchr1\t5000\t6000\n", "1 rows"),
    "eqtls": ("chr1\t900\t901\tA\n", "1 rows"),
}
SPOILED = {
    "pairs": ("chrom\tchromStart\nchr1\t900\n", "no column chromEnd"),
    "enhancers": ("chr1 900 1100\n", "line 1"),
    "interactions": ("chr1\t900\t1100\n", "is not BEDPE"),
    "eqtls": ("chr1\t9e2\t901\tA\n", "whole numbers"),
}


@pytest.mark.parametrize("kind", SOUND)
def test_files_of_truth_are_read(tmp_path, kind):
    path = tmp_path / "truth.tsv"
    text, told = SOUND[kind]
    path.write_text(text)
    table = findings(truth={kind: str(path)}).table().set_index("check")
    assert table.loc[f"truth of links ({kind})", "found"] == told
    text, told = SPOILED[kind]
    path.write_text(text)
    (message,) = findings(truth={kind: str(path)}).problems.messages
    assert "truth.tsv" in message
    assert told in message


def test_all_spoiled_files_are_told_at_once(tmp_path):
    truth = {}
    for kind, (text, _) in SPOILED.items():
        truth[kind] = str(tmp_path / f"{kind}.tsv")
        (tmp_path / f"{kind}.tsv").write_text(text)
    assert len(findings(truth=truth).problems.messages) == len(SPOILED)


def test_without_links_nothing_is_said():
    found = Findings()
    check_links(FILES, Settings(), found)
    assert found.table().empty
    assert not found.problems.messages
