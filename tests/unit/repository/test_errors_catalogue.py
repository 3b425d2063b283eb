"""docs/errors.md says what the code says."""

import re

import pytest
from made_errors import DOCUMENT, END, ENTRIES, START, message, rendered

CASES = [
    pytest.param(title, make, id=title)
    for entries in ENTRIES.values()
    for title, make in entries.items()
]


@pytest.fixture(scope="module")
def text():
    return DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("title, make", CASES)
def test_bad_input_gets_the_message_of_the_document(tmp_path, text, title, make):
    said = message(make, tmp_path)
    assert rendered(title, said) in text, said


@pytest.mark.parametrize("title, make", CASES)
def test_messages_are_sentences_that_end(tmp_path, title, make):
    said = message(make, tmp_path)
    assert said[-1] in ".?)`>" or said.endswith("clean.fa`."), said
    assert len(re.findall(r"[.?:](?: |$|\n)", said)) >= 2, f"cause or remedy is missing: {said}"
    for word in ("Traceback", "object at", "Error:", "None", "nan "):
        assert word not in said


def test_the_document_has_the_entries_and_no_others(text):
    assert text.startswith(START)
    assert text.endswith(END)
    assert re.findall(r"^## (.*)$", text, re.M) == [*ENTRIES, "Every reader"]
    titles = [title for entries in ENTRIES.values() for title in entries]
    assert re.findall(r"^### (.*)$", text, re.M) == titles
    assert len(titles) >= 40
