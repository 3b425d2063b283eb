"""Where results come from: the code, versions, config and inputs behind them."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).parents[1]
PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "anndata",
    "scanpy",
    "bbknn",
    "geosketch",
    "umap-learn",
    "scikit-learn",
    "pybedtools",
    "pyfaidx",
    "optuna",
    "memelite",
    "pyjaspar",
    "snakemake",
)

STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)  # imports are in no expression


def imported_modules(script: str | Path) -> tuple[set[Path], set[str]]:
    """Follow the imports of a script through the library.

    Parameters
    ----------
    script
        A Python file.

    Returns
    -------
    The library's files that it uses, directly or not, itself where it is one of
    them, and the names of all other top-level packages that it or they import.
    """
    script = Path(script)
    files: set[Path] = {script} if script.is_relative_to(LIBRARY) else set()
    others: set[str] = set()
    todo = [script]
    while todo:
        for name in _imports(todo.pop()):
            if name.split(".")[0] != "cisgrammar":
                others.add(name.split(".")[0])
                continue
            for file in _files_of(name):
                if file not in files:
                    files.add(file)
                    todo.append(file)
    return files, others


def _imports(path: Path) -> list[str]:
    return _imports_of(path.read_text())


@functools.cache  # every rule asks for the same modules, each time that Snakemake starts
def _imports_of(text: str) -> list[str]:
    names, todo = [], [ast.parse(text)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, STATEMENTS)]
    return names


def _files_of(name: str) -> list[Path]:
    """Files that importing a dotted name of the library runs."""
    files = []
    folder = LIBRARY
    for part in name.split(".")[1:]:
        if (folder / f"{part}.py").is_file():
            files.append(folder / f"{part}.py")
            break
        if not (folder / part).is_dir():
            break
        folder = folder / part
        files.append(folder / "__init__.py")
    return files


def source_hash(script: str | Path) -> str:
    """Digest the library code that a script uses, so that a change reruns its rule.

    Snakemake watches the script itself but not the modules it imports.
    """
    digest = hashlib.sha256()
    for path in sorted(imported_modules(script)[0]):
        digest.update(path.relative_to(LIBRARY).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def sha256(path: str | Path) -> str:
    """Checksum of a file, read in blocks."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def provenance(config: dict[str, Any], inputs: Iterable[str | Path]) -> dict[str, Any]:
    """Describe a run: what went in and what it ran on.

    Parameters
    ----------
    config
        The complete config.
    inputs
        Files of the user.

    Returns
    -------
    Config, commit, versions and checksums; no dates, so that equal runs give equal bytes.
    """
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "inputs": {str(path): sha256(path) for path in inputs},
        "config": config,
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"  # an environment of one group of rules holds only what those need


def _commit() -> str:
    command = ["git", "-C", str(LIBRARY), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
