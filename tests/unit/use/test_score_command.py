"""`cisgrammar score` on files."""

import pandas as pd
import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import read_table, write_table
from cisgrammar.use.command import main
from cisgrammar.use.score_command import read_measured


@pytest.fixture
def effects(tmp_path):
    columns = ["variant", "chrom", "position", "ref", "alt", "label", "effect"]
    rows = [(f"rs{i}", "01", i, "A", "G", label, i - 3.0) for i in range(8) for label in "AB"]
    write_table(pd.DataFrame(rows, columns=columns), tmp_path / "effects.tsv")
    return tmp_path / "effects.tsv"


@pytest.mark.parametrize("separator", ["\t", ","])
def test_a_table_is_scored_from_file_to_file(effects, tmp_path, separator, capsys):
    lines = [("chrom", "position", "ref", "alt", "effect", "causal")]
    lines += [("01", i, "A", "G", 2 * (i - 3), int(abs(i - 3) > 1)) for i in range(8)]
    measured = tmp_path / "measured.tsv"
    measured.write_text("\n".join(separator.join(map(str, line)) for line in lines) + "\n")
    output = tmp_path / "scores.tsv"
    assert main(["score", str(effects), str(measured), "--output", str(output)]) == 0
    scores = read_table(output).set_index(["label", "score"])["value"]
    assert scores["A", "sign"] == 1
    assert scores["B", "pearson"] == pytest.approx(1)
    assert scores["A", "auprc"] == 1
    assert "8 of 8 measured variants were predicted" in capsys.readouterr().out


def test_what_is_no_number_is_told(tmp_path):
    measured = tmp_path / "measured.tsv"
    measured.write_text("chrom\tposition\tref\talt\teffect\n1\t1\tA\tG\t0,5\n1\t2\tA\tG\tNA\n")
    with pytest.raises(InputError, match=r"1 values of `effect` \(0,5\).*decimal point"):
        read_measured(measured)


def test_an_effect_that_was_not_measured_stays_empty(tmp_path):
    measured = tmp_path / "measured.tsv"
    measured.write_text("chrom\tposition\tref\talt\teffect\n1\t1\tA\tG\t\nNA\t2\tA\tG\t-1\n")
    table = read_measured(measured)
    assert table["effect"].isna().tolist() == [True, False]
    assert table["chrom"].tolist() == ["1", "NA"]
