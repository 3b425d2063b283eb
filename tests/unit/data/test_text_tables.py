"""Tables that users bring are text as it stands, names of rows too."""

import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.data.text_tables import read_text_table


def table(tmp_path, text, separators="\t,"):
    path = tmp_path / "table.tsv"
    path.write_text(text)
    return read_text_table(path, "key", separators)


@pytest.mark.parametrize("names", [["01", "1"], ["NA", "nan"], ["1.10", "1.1"], ["True", "None"]])
def test_names_of_rows_are_text(tmp_path, names):
    frame = table(tmp_path, "id\tvalue\n" + "".join(f"{name}\t07\n" for name in names))
    assert frame.index.tolist() == names
    assert frame.index.name == "id"
    assert frame["value"].tolist() == ["07", "07"]


def test_a_table_of_r_has_no_header_over_the_names_of_rows(tmp_path):
    frame = table(tmp_path, "a\tb\n01\t1\t2\n02\t3\t4\n")
    assert frame.index.tolist() == ["01", "02"]
    assert frame["b"].tolist() == ["2", "4"]


def test_quotes_hold_a_separator(tmp_path):
    frame = table(tmp_path, 'id,value\n"a,b",1\n')
    assert frame.index.tolist() == ["a,b"]


@pytest.mark.parametrize(
    "text", ["", "\n", "\nid\tvalue\n", "id\nx\t1\t2\t3\n", "id\tid\nx\t1\n", 'id\tvalue\n"x\t1\n']
)
def test_what_is_no_table_is_told(tmp_path, text):
    with pytest.raises(InputError, match=r"table\.tsv"):
        table(tmp_path, text)


def test_a_header_alone_is_an_empty_table(tmp_path):
    frame = table(tmp_path, "id\tvalue\n")
    assert frame.empty and list(frame) == ["value"]


def test_rows_of_another_length_are_told(tmp_path):
    with pytest.raises(InputError, match="not a sound table"):
        table(tmp_path, "id\tvalue\na\t1\nb\t2\t3\n")
