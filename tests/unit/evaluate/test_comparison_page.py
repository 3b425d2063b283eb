import pandas as pd

from cisgrammar.evaluate.comparison import all_differences
from cisgrammar.evaluate.comparison_page import page

TABLE = pd.DataFrame(
    {
        "method": ["scover", "scover", "mean", "mean", "without_A<B"],
        "fold": [0, 1, 0, 1, 0],
        "r2": [0.2, 0.4, 0.1, 0.1, 0.15],
        "centred_r": [0.5, 0.5, None, None, 0.5],
    }
)


def cells(text, method):
    row = next(line for line in text.splitlines() if f"<td>{method}</td>" in line)
    return row.replace("<tr>", "").replace("</tr>", "").replace("<td>", "").split("</td>")[:-1]


def test_a_row_for_each_method_with_means_over_folds():
    differences = all_differences(TABLE, "scover", seed=0)
    text = page("It is good & cheap.", TABLE, differences, "scover")
    assert "<p>It is good &amp; cheap.</p>" in text
    assert text.count("<tr>") == 4
    assert cells(text, "scover") == ["scover", "0.300", "0.500", "", ""]
    assert cells(text, "the mean gene (mean)") == [
        "the mean gene (mean)",
        "0.100",
        "",
        "0.200 (0.100 to 0.300)",
        "0.5",
    ]
    assert "without_A&lt;B" in text


def test_the_ceiling_is_the_last_row():
    differences = all_differences(TABLE, "scover", seed=0)
    text = page("", TABLE, differences, "scover", {"r2": 0.8, "r": 0.9, "centred_r": 0.25})
    most = cells(text, "noise ceiling")
    assert most == ["noise ceiling", "0.800", "0.250", "", ""]


def test_the_doubly_centred_score_has_a_column_and_a_ceiling():
    table = TABLE.assign(doubly_centred_r=[0.3, 0.5, 0, 0, 0.1])
    differences = all_differences(table, "scover", seed=0)
    ceiling = {"r2": 0.8, "centred_r": 0.25, "doubly_centred_r": 0.7}
    text = page("", table, differences, "scover", ceiling)
    assert cells(text, "scover")[3] == "0.400"
    assert cells(text, "the mean gene (mean)")[3] == "0.000"
    assert cells(text, "noise ceiling")[3] == "0.700"


def test_a_model_alone():
    table = TABLE[TABLE["method"] == "scover"]
    text = page("Alone.", table, all_differences(table, "scover", seed=0), "scover")
    assert text.count("<tr>") == 2
