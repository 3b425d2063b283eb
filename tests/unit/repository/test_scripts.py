"""Scripts read, call the library and write: what is longer belongs in the library."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))
MOST_LINES = 40


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_are_short(script):
    n = len(script.read_text(encoding="utf-8").splitlines())
    assert n <= MOST_LINES, f"{script.name} has {n} lines: move logic into the library"


def test_there_are_scripts():
    assert len(SCRIPTS) > 30
