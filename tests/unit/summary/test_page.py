"""The first page is whole HTML: no name breaks it, each number and logo is what it was given."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from cisgrammar.summary.page import Section, body, document, logo, number, table

VOID = {"meta"}


class Balanced(HTMLParser):
    """Fail where a tag is not closed in its turn."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def words(page):
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    return " ".join(parser.text)


NAMES = ["<script>alert(1)</script>", 'a"b', "γδ T & NK", "NA", "01"]


@pytest.mark.parametrize("name", NAMES)
def test_names_stand_as_they_are_and_break_nothing(name):
    rows = pd.DataFrame({"family": [name], "TF": [name]})
    strip = pd.DataFrame({name: [0.5]}, index=[name])
    logos = {name: np.full((4, 3), 0.25)}
    section = Section(
        name, [name], [table(rows, name, logos=logos, effects=strip)], {name: "a.svg"}
    )
    page = document(name, body([section], ["a.svg"]))
    assert words(page).count(name) >= 7
    assert "<script" not in page


def test_only_files_of_the_run_are_linked():
    section = Section("a", [], [], {"there": "x/there.svg", "older": "x/older.svg"})
    page = body([section], ["x/there.svg"])
    assert 'href="x/there.svg"' in page
    assert "older" not in page
    assert "href" not in body([section])


def test_the_top_says_it_in_short_and_leads_to_each_section():
    sections = [
        Section("Model", [], in_short="It predicts."),
        Section("Table", ["b"]),
        Section("Data", [], in_short="5 cells", is_first=True),
    ]
    top = body(sections).partition("</ul>")[0]
    said = words(top.partition("<h2>In short</h2>")[2].replace("<ul>", ""))
    assert " ".join(said.split()) == "5 cells More It predicts. More"
    assert re.findall(r'href="#(.+?)"', top) == ["part-2", "part-0"]
    assert 'id="part-2"><h2>Data' in body(sections)
    assert "In short" not in body(sections[1:2])


def test_warnings_are_marked():
    assert 'class="warnings"' in body([Section("a", ["b"], is_warning=True)])
    assert 'class="warnings"' not in body([Section("a", ["b"])])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.8, "0.80"),
        (-0.126, "−0.13"),
        (-0.0004, "0.00"),
        (12345, "12,345"),
        (2.0, "2.00"),
        (np.nan, ""),
        (np.int64(3), "3"),
    ],
)
def test_numbers_are_written_for_reading(value, shown):
    assert number(value) == shown


def test_effects_are_coloured_about_zero_and_show_two_figures_of_the_largest():
    rows = pd.DataFrame({"family": ["f"]})
    effects = pd.DataFrame({"A": [0.012], "B": [-0.012], "C": [0.0], "D": [np.nan]})
    page = table(rows, "x", effects=effects)
    cells = re.findall(r'background:#(..)(..)(..);color:\w+">([^<]*)', page)
    assert [cell[3] for cell in cells] == ["0.012", "−0.012", "0.000"]
    (red_up, _, blue_up, _), (red_down, _, blue_down, _), zero = cells
    assert red_up > blue_up and blue_down > red_down
    assert all(int(part, 16) > 240 for part in zero[:3]), "no effect has no colour"
    assert page.endswith("<td></td></tr></table>"), "a missing effect stays empty"


def test_effects_that_are_all_missing_stay_empty():
    page = table(pd.DataFrame({"f": ["x"]}), "c", effects=pd.DataFrame({"A": [np.nan]}))
    assert page.endswith("<td></td></tr></table>")


def test_a_logo_has_the_letters_of_the_matrix_as_high_as_their_information():
    matrix = np.array([[1, 0.25], [0, 0.25], [0, 0.25], [0, 0.25]])
    drawn = re.findall(
        r'#letter-(.)" transform="translate\((\S+) (\S+)\) scale\(.94 -(\S+)\)', logo(matrix, "m")
    )
    assert drawn == [("A", "0.03", "2.000", "2.000")]


def test_a_logo_of_two_letters_is_stacked_with_the_likelier_on_top():
    matrix = np.array([[0.75], [0.25], [0], [0]])
    drawn = re.findall(
        r'#letter-(.)" transform="translate\(\S+ (\S+)\) scale\(.94 -(\S+)\)', logo(matrix, "m")
    )
    (low, base, height), (high, above, _) = drawn
    assert (low, high) == ("C", "A")
    assert float(base) == 2
    assert float(above) == pytest.approx(2 - float(height), abs=2e-3)


def test_the_page_needs_no_other_file():
    page = document("a", body([Section("a", ["b"])]))
    assert not re.search(r"(src=|url\(|https?:|<link|@import)", page)
    assert 'name="viewport"' in page and 'lang="en"' in page
