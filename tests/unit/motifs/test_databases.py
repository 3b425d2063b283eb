import os
from pathlib import Path

import numpy as np
import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.motifs.databases import load_database, tf_names_in, tfs_by_motif
from cisgrammar.motifs.meme import Motif, write_meme

SHARED = Path(__file__).parents[4] / "shared" / "data" / "motifs"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir() and not os.environ.get("CI"), reason=f"no real data at {SHARED}"
)
ANY = np.full((4, 5), 0.25)


@pytest.mark.parametrize(
    "name, tfs",
    [
        ("GATA1", ["GATA1"]),
        ("FOS::JUN", ["FOS", "JUN"]),
        ("JUN::JUN", ["JUN"]),
        ("FOXC1(var.2)", ["FOXC1"]),
        ("(Nr1h4)_(Homo_sapiens)_(DBD_1.00)", ["Nr1h4"]),
        ("NKX2-3", ["NKX2-3"]),
        ("NA", []),
        ("", []),
    ],
)
def test_gene_names_are_found_in_what_databases_write(name, tfs):
    assert tf_names_in(name) == tfs


def test_jaspar_comes_with_names_families_and_classes():
    database = load_database("jaspar:CORE:fungi:2024")
    assert len(database.motifs) == len(database.table) == 178
    assert database.table["motif"].tolist() == [m.name for m in database.motifs]
    assert database.table["motif"].is_monotonic_increasing
    msn2 = database.table.set_index("motif").loc["MA0341.1"]
    assert (msn2["tfs"], msn2["tf_class"]) == ("MSN2", "C2H2 zinc finger factors")
    assert database.motifs[0].matrix.sum(axis=0) == pytest.approx(1)


def test_meme_files_of_several_databases(tmp_path):
    write_meme(
        [
            Motif("M0085_1.02", ANY, alt="(TFAP2E)_(Mus_musculus)_(DBD_0.99)"),
            Motif("MA0099.3", ANY, alt="MA0099.3.FOS::JUN"),
            Motif("LHX2_HUMAN.H11MO.0.A", ANY),
            Motif("GATA1.H12CORE.0.P.B", ANY),
            Motif("other", ANY),
        ],
        tmp_path / "m.meme",
    )
    database = load_database(str(tmp_path / "m.meme"))
    assert database.table["tfs"].tolist() == ["TFAP2E", "FOS;JUN", "LHX2", "GATA1", ""]
    assert tfs_by_motif(database.table)["MA0099.3"] == ["FOS", "JUN"]
    assert tfs_by_motif(database.table)["other"] == []


def test_table_of_tf_names_comes_first(tmp_path):
    write_meme([Motif("a_1", ANY, alt="X1"), Motif("b_2", ANY, alt="X2")], tmp_path / "m.meme")
    (tmp_path / "names.tsv").write_text("a_1\tMSN2\nzzz\tMSN4\n")
    database = load_database(str(tmp_path / "m.meme"), tmp_path / "names.tsv")
    assert database.table["tfs"].tolist() == ["MSN2", "X2"]


@pytest.mark.parametrize(
    "source, found",
    [
        ("jaspar:CORE", "write jaspar:COLLECTION:group:year"),
        ("jaspar:CORE:vertebrates:2025", "no JASPAR release 2025.*2024"),
        ("jaspar:CORE:vertbrates:2024", "no profiles.*'vertbrates'.*vertebrates"),
        ("none.meme", "no such file"),
    ],
)
def test_unknown_sources_are_explained(source, found):
    with pytest.raises(InputError, match=found):
        load_database(source)


def test_database_without_tf_names_is_refused(tmp_path):
    write_meme([Motif("a", ANY), Motif("b", ANY, alt="NA")], tmp_path / "m.meme")
    with pytest.raises(InputError, match=r"none of its 2 motifs.*tf_names"):
        load_database(str(tmp_path / "m.meme"))


@pytest.mark.parametrize(
    "text, found",
    [
        ("x\tMSN2\n", r"none of the database's 1 motifs \(a, \.\.\.\)"),
        ("a\n", "two are needed"),
        ("", "the file is empty"),
        ("\n", "not a tab-separated table"),
    ],
)
def test_bad_tables_of_tf_names_are_explained(tmp_path, text, found):
    write_meme([Motif("a", ANY)], tmp_path / "m.meme")
    (tmp_path / "names.tsv").write_text(text)
    with pytest.raises(InputError, match=found):
        load_database(str(tmp_path / "m.meme"), tmp_path / "names.tsv")


@needs_shared
def test_real_databases_have_names():
    human = load_database(str(SHARED / "cisbp_1.02_homo_sapiens.meme"))
    assert (human.table["tfs"] != "").all() and len(human.table) == 733
    yeast = load_database(
        str(SHARED / "yetfasco_all.meme"), SHARED / "yetfasco_name_lookup.tsv"
    ).table.set_index("motif")["tfs"]
    assert yeast["YDR216W_1594"] == "ADR1"
    assert (yeast == "").sum() == 19
