import ast
import atexit
import functools
import hashlib
import importlib.metadata
import json
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from cisgrammar.common import provenance as module
from cisgrammar.common.provenance import imported_modules, provenance, sha256, source_hash

MIDDLE = """\
\"\"\"Stand in the middle.\"\"\"


class User:
    \"\"\"Use things.\"\"\"

    def use(self, times=(1, 2)):
        \"\"\"Use a layer.\"\"\"
        from cisgrammar.models.deep import layer

        return layer * len(times)  # often
"""
SAME_MIDDLE = """\
class User:
    # uses things
    def use(self,
            times = (1, 2,)):
        'Use a layer: the one of `deep`.'
        from cisgrammar.models.deep import layer
        return (layer
            * len(times))
"""
TYPED = """\
import typing

if typing.TYPE_CHECKING:
    from cisgrammar.only_types import Kind
else:
    import cisgrammar.no_types
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Give a library in which `top` uses `middle`, which uses `models.deep`."""
    folder = tmp_path / "cisgrammar"
    files = {
        "__init__.py": "",
        "top.py": "import numpy as np\nfrom cisgrammar import middle\n",
        "middle.py": MIDDLE,
        "unused.py": "",
        "models/__init__.py": "import cisgrammar.errors\n",
        "models/deep.py": "layer = 1\n",
        "models/other.py": "import scipy\nfrom cisgrammar.models import helper\n",
        "models/helper.py": "",
        "errors.py": TYPED,
        "only_types.py": "import pandas\n",
        "no_types.py": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setattr(module, "LIBRARY", folder)
    monkeypatch.setattr(module, "_known", functools.cache(dict))
    script = tmp_path / "script.py"
    script.write_text('"""Do it."""\nimport json\nfrom cisgrammar.top import anything\n')
    return folder, script


USED = {"top.py", "middle.py", "models/__init__.py", "models/deep.py", "errors.py", "no_types.py"}
UNUSED = {"__init__.py", "unused.py", "models/other.py", "models/helper.py", "only_types.py"}


def rewrite(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def names_of(folder, files):
    return {file.relative_to(folder).as_posix() for file in files}


def test_imports_are_followed(library):
    folder, script = library
    files, others = imported_modules(script)
    assert names_of(folder, files) == USED
    assert others == {"json", "numpy", "typing"}


@pytest.mark.parametrize("changed", sorted(USED))
def test_hash_changes_with_every_module_that_is_used(library, changed):
    folder, script = library
    before = source_hash(script)
    (folder / changed).write_text((folder / changed).read_text() + "new = 2\n")
    assert source_hash(script) != before


@pytest.mark.parametrize("changed", sorted(UNUSED))
def test_hash_ignores_what_is_not_used(library, changed):
    folder, script = library
    before = source_hash(script)
    (folder / changed).write_text("new = 2\n")
    assert source_hash(script) == before


def test_hash_ignores_docstrings_comments_and_formatting(library):
    folder, script = library
    before = source_hash(script)
    (folder / "middle.py").write_text(SAME_MIDDLE)
    script.write_text("# Do it\nimport json\n\nfrom cisgrammar.top import (anything)\n")
    assert source_hash(script) == before


@pytest.mark.parametrize(
    "old, new",
    [
        ("(1, 2)", "(1, 3)"),
        ("layer * len", "layer + len"),
        ("def use", "def apply"),
        ("return layer", "layer"),
        ("class User:", "@final\nclass User:"),
        ("len(times)", "'len(times)'"),
    ],
)
def test_hash_changes_with_what_code_does(library, old, new):
    folder, script = library
    before = source_hash(script)
    rewrite(folder / "middle.py", old, new)
    assert source_hash(script) != before


def test_hash_changes_with_the_script_itself(library):
    _, script = library
    before = source_hash(script)
    rewrite(script, "anything", "something")
    assert source_hash(script) != before


def test_hash_ignores_what_is_imported_for_types_alone(library):
    folder, script = library
    before = source_hash(script)
    rewrite(folder / "errors.py", "Kind", "Sort")
    assert source_hash(script) == before
    rewrite(folder / "errors.py", "if typing", "if not typing")
    assert names_of(folder, imported_modules(script)[0]) == USED | {"only_types.py"}


@pytest.mark.parametrize("by_name", [True, False], ids=["module", "file"])
def test_hash_follows_also_what_a_run_imports_by_name(library, by_name):
    folder, script = library
    other = folder / "models/other.py"
    also = ["cisgrammar.models.other" if by_name else other]
    files, others = imported_modules(script, also)
    assert names_of(folder, files) == USED | {"models/other.py", "models/helper.py"}
    assert others == {"json", "numpy", "scipy", "typing"}
    before = source_hash(script, also)
    assert before != source_hash(script)
    (folder / "models/helper.py").write_text("new = 2\n")
    assert source_hash(script, also) != before


def test_hash_of_what_is_left_out_does_not_count_nor_what_only_that_uses(library):
    folder, script = library
    leave_out, also = (
        ["models/__init__.py"],
        ["cisgrammar.models.deep"],
    )  # which runs what is left out
    before = source_hash(script, also, leave_out)
    assert before != source_hash(script)
    for name in ("models/__init__.py", "errors.py", "no_types.py"):
        (folder / name).write_text("new = 2\n")
    assert source_hash(script, also, leave_out) == before
    (folder / "models/deep.py").write_text("layer = 2\n")
    assert source_hash(script, also, leave_out) != before


@pytest.mark.parametrize("name", ["cisgrammar.models.no", "cisgrammar.no", "numpy", "cisgrammar"])
def test_hash_refuses_unknown_modules(library, name):
    with pytest.raises(ValueError, match=f"{name} is not a module"):
        source_hash(library[1], also=[name])


def test_hash_refuses_to_leave_out_what_does_not_exist(library):
    with pytest.raises(ValueError, match=r"models/no\.py cannot be left out"):
        source_hash(library[1], leave_out=["models/no.py"])


def test_a_file_is_parsed_once(library, monkeypatch):
    folder, script = library
    parsed = []
    parse = module.ast.parse
    monkeypatch.setattr(module.ast, "parse", lambda text: parsed.append(text) or parse(text))
    (folder / "top.py").write_text(f"unique = {str(folder)!r}\n")
    for _ in range(2):
        source_hash(script)
        imported_modules(folder / "top.py")
    assert sum(str(folder).encode() in text for text in parsed) == 1


@pytest.mark.parametrize("damage", ["", "[", "\xff"])
def test_what_was_parsed_is_remembered_at_the_next_start(tmp_path, monkeypatch, damage):
    at_end = []
    monkeypatch.setattr(atexit, "register", at_end.append)
    path = tmp_path / "cache/digests.json"
    module._remembered(path)["sum"] = [["numpy"], "00"]
    at_end.pop()()
    assert module._remembered(path) == {"sum": [["numpy"], "00"]}
    if damage:
        path.write_text(damage, encoding="latin-1")
        assert module._remembered(path) == {}


def test_the_library_has_no_relative_imports_which_would_not_be_followed():
    root = Path(__file__).parents[3]
    files = [*(root / "src").rglob("*.py"), *(root / "workflow/scripts").glob("*.py")]
    assert len(files) > 100
    relative = [
        file.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_hash_of_a_module_of_the_library_counts_itself(library):
    folder, _ = library
    before = source_hash(folder / "top.py")
    (folder / "top.py").write_text((folder / "top.py").read_text() + "new = 2\n")
    assert source_hash(folder / "top.py") != before


def test_hash_does_not_depend_on_where_the_library_lies(library, tmp_path, monkeypatch):
    folder, script = library
    before = source_hash(script)
    shutil.copytree(folder, tmp_path / "elsewhere" / "cisgrammar")
    monkeypatch.setattr(module, "LIBRARY", tmp_path / "elsewhere" / "cisgrammar")
    assert source_hash(script) == before


def test_circular_imports_end(library):
    folder, script = library
    (folder / "errors.py").write_text("import cisgrammar.top\n")
    assert names_of(folder, imported_modules(script)[0]) == USED - {"no_types.py"}


def test_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"ACGT" * 100_000)
    assert sha256(tmp_path / "file") == hashlib.sha256(b"ACGT" * 100_000).hexdigest()


def test_sha256_of_a_folder_is_that_of_all_its_files(tmp_path):
    """As of Cell Ranger's folders, and zarr's: by names and contents, not by its place."""
    for folder in ("a", "b", "c", "d"):
        write = (tmp_path / folder / "X" / "0").parent
        write.mkdir(parents=True)
        (write / "0").write_bytes(b"x" if folder != "c" else b"y")
        (write / ("1" if folder != "d" else "2")).write_bytes(b"z")
    a, b, c, d = (sha256(tmp_path / folder) for folder in "abcd")
    assert a == b
    assert len({a, c, d}) == 3


def test_provenance_tells_config_versions_and_inputs(tmp_path):
    (tmp_path / "counts.h5ad").write_bytes(b"x")
    found = provenance({"name": "demo"}, [tmp_path / "counts.h5ad"])
    assert json.loads(json.dumps(found)) == found
    assert found["config"] == {"name": "demo"}
    assert found["python"] == platform.python_version()
    assert found["packages"]["numpy"] == importlib.metadata.version("numpy")
    assert found["inputs"] == {str(tmp_path / "counts.h5ad"): sha256(tmp_path / "counts.h5ad")}
    assert found == provenance({"name": "demo"}, [tmp_path / "counts.h5ad"])


def test_a_package_that_is_not_installed_is_said_to_be_absent(monkeypatch):
    monkeypatch.setattr(module, "PACKAGES", ("numpy", "no-such-package"))
    assert provenance({}, [])["packages"] == {
        "numpy": importlib.metadata.version("numpy"),
        "no-such-package": "absent",
    }


def test_commit_is_that_of_the_repository(tmp_path, monkeypatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "code.py").write_text("a = 1\n")
    subprocess.run([*git, "add", "code.py"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    monkeypatch.setattr(module, "LIBRARY", tmp_path)
    assert provenance({}, [])["commit"] == head
    (tmp_path / "code.py").write_text("a = 2\n")
    assert provenance({}, [])["commit"] == f"{head}-dirty"


def test_commit_is_unknown_outside_a_repository(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LIBRARY", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance({}, [])["commit"] == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance({}, [])["commit"] == "unknown"
