"""Where results come from: the code, versions, config and inputs behind them."""

from __future__ import annotations

import ast
import atexit
import contextlib
import functools
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from cisgrammar.common.files import whole_file

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
    "modisco-lite",
    "pyjaspar",
    "snakemake",
)

BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # where statements hold statements


def imported_modules(
    script: str | Path, also: Iterable[str | Path] = (), leave_out: Iterable[str] = ()
) -> tuple[set[Path], set[str]]:
    """Follow the imports of a script through the library.

    Parameters
    ----------
    script
        A Python file.
    also, leave_out
        As for :func:`source_hash`.

    Returns
    -------
    The library's files that it uses, directly or not, itself where it is one of
    them, and the names of all other top-level packages that it or they import.

    Raises
    ------
    ValueError
        If a module or file that is named is not in the library.

    Notes
    -----
    Imports in functions count; those under ``if TYPE_CHECKING:`` do not.
    """
    files, others = _reached(script, also, leave_out)
    return {file for file in files if file.is_relative_to(LIBRARY)}, others


def source_hash(
    script: str | Path, also: Iterable[str | Path] = (), leave_out: Iterable[str] = ()
) -> str:
    """Digest a script and the library code that it uses, so that a change reruns its rule.

    Parameters
    ----------
    script
        A Python file.
    also
        More that is used, but imported by a name that only a run knows: files, or
        modules of the library, as ``cisgrammar.models.scover``.
    leave_out
        Files that are neither digested nor followed, by their paths in the library, as
        ``models/registry.py``: a table of all models, where a script uses one.

    Returns
    -------
    16 characters that do not change with docstrings, comments and formatting.

    Raises
    ------
    ValueError
        If a module or file that is named is not in the library.

    Notes
    -----
    Snakemake itself looks at scripts alone, not at what they import.
    """
    digest = hashlib.sha256()
    for name, path in sorted((_name(path), path) for path in _reached(script, also, leave_out)[0]):
        digest.update(name.encode())
        digest.update(_read(path.read_bytes()).digest)
    return digest.hexdigest()[:16]


def _reached(
    script: str | Path, also: Iterable[str | Path], leave_out: Iterable[str]
) -> tuple[set[Path], set[str]]:
    """Give all files that are used, and the other packages that these import."""
    skipped = {LIBRARY / name for name in leave_out}
    for path in skipped:
        if not path.is_file():
            raise ValueError(f"{path} cannot be left out: it does not exist")
    files = {Path(script), *(path for entry in also for path in _files_to_add(entry))} - skipped
    others: set[str] = set()
    todo = list(files)
    while todo:
        for name in _read(todo.pop().read_bytes()).imports:
            if name.split(".")[0] != "cisgrammar":
                others.add(name.split(".")[0])
                continue
            for path in _files_of(name):
                if path not in files and path not in skipped:
                    files.add(path)
                    todo.append(path)
    return files, others


class _Source(NamedTuple):
    imports: list[str]
    digest: bytes


@functools.cache  # every rule asks for the same modules
def _read(text: bytes) -> _Source:
    """Find what a file imports and digest what it does, or remember it from an earlier start."""
    known, checksum = _known(), hashlib.sha256(text).hexdigest()
    if checksum not in known:
        source = _parse(text)
        known[checksum] = [source.imports, source.digest.hex()]
    imports, digest = known[checksum]
    return _Source(imports, bytes.fromhex(digest))


@functools.cache
def _known() -> dict[str, list[Any]]:
    """Give what earlier starts found in files, by checksum; it is kept where bytecode is.

    Parsing 250 files takes a third of a plan, and Snakemake starts anew for each job on a cluster.
    """
    this = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    folder = Path(__file__).parent / "__pycache__"
    return _remembered(folder / f"digests.{sys.implementation.cache_tag}.{this}.json")


def _remembered(path: Path) -> dict[str, list[Any]]:
    """Read a dictionary, to which additions are kept when Python ends, if they may be written."""
    known: dict[str, list[Any]] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_text())
    before = len(known)

    def keep() -> None:
        if len(known) > before:
            with contextlib.suppress(OSError), whole_file(path, shared=True) as partial:
                partial.write_text(json.dumps(known))

    atexit.register(keep)
    return known


def _parse(text: bytes) -> _Source:
    """Find what a file imports, and digest what it does, not how it is written."""
    tree = ast.parse(text)
    imports: list[str] = []
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.If) and _is_for_types(node.test):
            node.body = []
        for block in [getattr(node, name) for name in BLOCKS if hasattr(node, name)]:
            block[:] = [statement for statement in block if not _is_text(statement)]
            todo += block
    return _Source(imports, hashlib.sha256(ast.dump(tree).encode()).digest())


def _is_text(node: ast.AST) -> bool:
    """Say whether a statement is a docstring, or another text that nothing reads."""
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _is_for_types(test: ast.AST) -> bool:
    """Say whether a condition is ``TYPE_CHECKING`` or ``typing.TYPE_CHECKING``."""
    return "TYPE_CHECKING" in (getattr(test, "id", None), getattr(test, "attr", None))


def _files_of(name: str) -> list[Path]:
    """Files that importing a dotted name of the library runs."""
    return _files_in(LIBRARY, name)


@functools.cache
def _files_in(folder: Path, name: str) -> list[Path]:
    files = []
    for part in name.split(".")[1:]:
        if (folder / f"{part}.py").is_file():
            files.append(folder / f"{part}.py")
            break
        if not (folder / part).is_dir():
            break
        folder = folder / part
        files.append(folder / "__init__.py")
    return files


def _files_to_add(entry: str | Path) -> list[Path]:
    """Give a file, or those that importing a module of the library runs."""
    if isinstance(entry, Path) or entry.endswith(".py"):
        return [Path(entry)]
    files = _files_of(entry)
    place = LIBRARY.joinpath(*entry.split(".")[1:])
    if not files or files[-1] not in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
        raise ValueError(f"{entry} is not a module of the library")
    return files


def _name(path: Path) -> str:
    """Name a file in the same way wherever the library lies."""
    return path.relative_to(LIBRARY).as_posix() if path.is_relative_to(LIBRARY) else path.name


def sha256(path: str | Path) -> str:
    """Checksum of a file, read in blocks; of a folder, that of its files' names and checksums."""
    path = Path(path)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        lines = [f"{sha256(file)}  {file.relative_to(path).as_posix()}\n" for file in files]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def provenance(config: dict[str, Any], inputs: Iterable[str | Path]) -> dict[str, Any]:
    """Describe a run: what went in and what it ran on.

    Parameters
    ----------
    config
        The complete config.
    inputs
        Files and folders of the user.

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
