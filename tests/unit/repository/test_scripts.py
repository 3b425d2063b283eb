"""Scripts read, call the library and write: what is longer belongs in the library."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))
MOST_LINES = 40


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_are_short(script):
    n = len(script.read_text(encoding="utf-8").splitlines())
    assert n <= MOST_LINES, f"{script.name} has {n} lines: move logic into the library"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_files_of_earlier_jobs_are_read_by_the_readers_that_check_them(script):
    """Others guess types, take a part for the whole, or end in a traceback."""
    text = script.read_text(encoding="utf-8")
    for other in (
        "from anndata import.*read_h5ad",
        "read_csv",
        r"json\.load",
        "read_table.*dtype=",
    ):
        assert not re.search(other, text), f"{script.name}: use cisgrammar.common.files"
    assert not re.search(r"read_table\([\w.]*folds\)", text), "use cisgrammar.data.folds.read_folds"
    assert not re.search(r"read_table\([\w.]*members\)", text), "use read_members"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_script_imports_is_in_the_library(script):
    """A rule that no small run reaches would else fail at its first use."""
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cisgrammar"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                assert hasattr(module, alias.name) or importlib.util.find_spec(name), name


def test_there_are_scripts():
    assert len(SCRIPTS) > 30
