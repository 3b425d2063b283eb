import pandas as pd
import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.common.notes import Notes, notes_about
from cisgrammar.plots.notes import draw_or_note, note


def fail():
    raise InputError("sets.gmt: ids of another kind")


def test_users_mistakes_are_noted_and_the_rest_goes_on(caplog):
    notes = Notes()
    assert notes.attempt("sets", lambda: 3, 0) == 3
    assert notes.attempt("sets", fail, 0) == 0
    notes.add("sets", "Second.")
    table = notes.table()
    assert table.columns.tolist() == ["about", "note"] and len(table) == 2
    assert notes_about(table, "sets") == "sets.gmt: ids of another kind Second."
    assert notes_about(table, "other") == "" and notes_about(Notes().table(), "sets") == ""
    assert "left out: sets.gmt" in caplog.text


def test_other_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError):
        Notes().attempt("sets", lambda: 1 // 0, 0)


def words(figure):
    return " ".join(" ".join(text.get_text().split()) for text in figure.texts)


def test_a_figure_or_the_reason_why_there_is_none():
    def draw(table):
        if table.empty:
            raise ValueError("the table is empty")
        return note("drawn")

    full = pd.DataFrame({"a": [1]})
    assert words(draw_or_note(draw, full, why="never")) == "drawn"
    assert "the table is empty" in words(draw_or_note(draw, full[:0]))
    assert words(draw_or_note(draw, full[:0], why="Ids of another kind.")) == "Ids of another kind."
