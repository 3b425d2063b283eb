import hashlib
import importlib.metadata
import json
import platform
import shutil
import subprocess

import pytest

from cisgrammar.common import provenance as module
from cisgrammar.common.provenance import imported_modules, provenance, sha256, source_hash


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Give a library in which `top` uses `middle`, which uses `models.deep`."""
    folder = tmp_path / "cisgrammar"
    files = {
        "__init__.py": "",
        "top.py": "import numpy as np\nfrom cisgrammar import middle\n",
        "middle.py": "def use():\n    from cisgrammar.models.deep import layer\n",
        "unused.py": "",
        "models/__init__.py": "import cisgrammar.errors\n",
        "models/deep.py": "layer = 1\n",
        "models/other.py": "",
        "errors.py": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setattr(module, "LIBRARY", folder)
    script = tmp_path / "script.py"
    script.write_text("import json\nfrom cisgrammar.top import anything\n")
    return folder, script


def test_imports_are_followed(library):
    folder, script = library
    files, others = imported_modules(script)
    names = {file.relative_to(folder).as_posix() for file in files}
    assert names == {"top.py", "middle.py", "models/__init__.py", "models/deep.py", "errors.py"}
    assert others == {"json", "numpy"}


@pytest.mark.parametrize(
    "changed", ["top.py", "middle.py", "models/__init__.py", "models/deep.py", "errors.py"]
)
def test_hash_changes_with_every_module_that_is_used(library, changed):
    folder, script = library
    before = source_hash(script)
    (folder / changed).write_text((folder / changed).read_text() + "new = 2\n")
    assert source_hash(script) != before


@pytest.mark.parametrize("changed", ["unused.py", "models/other.py"])
def test_hash_ignores_what_is_not_used(library, changed):
    folder, script = library
    before = source_hash(script)
    (folder / changed).write_text("new = 2\n")
    assert source_hash(script) == before


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
    assert len(imported_modules(script)[0]) == 5


def test_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"ACGT" * 100_000)
    assert sha256(tmp_path / "file") == hashlib.sha256(b"ACGT" * 100_000).hexdigest()


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
