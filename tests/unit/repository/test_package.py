"""What is declared of the library as a package, against what it imports and the lock."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WITH_TORCH = {"triton"}  # comes with torch where that is built for CUDA, and is done without
BY_ANOTHER = {"igraph"}  # scanpy imports it where it clusters


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = (line.partition("==") for line in lines if not line.startswith("#"))
    return {normal(name): version for name, _, version in pins}


def declared() -> list[tuple[str, Requirement]]:
    extras = PROJECT["project"]["optional-dependencies"]
    lines = {"library": PROJECT["project"]["dependencies"], **extras}
    lines["build"] = PROJECT["build-system"]["requires"]
    return [(group, Requirement(line)) for group, each in lines.items() for line in each]


def imports(path: Path) -> set[str]:
    """List the packages of others that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    tops = {name.split(".")[0] for name in names}
    return tops - set(sys.stdlib_module_names) - {"cisgrammar"}


def test_dependencies_are_what_the_library_imports():
    imported = set().union(*(imports(path) for path in (ROOT / "src").rglob("*.py")))
    assert {"torch", "yaml", "sklearn"} <= imported
    distributions = packages_distributions()
    needed = {normal(distributions[name][0]) for name in imported - WITH_TORCH}
    named = {normal(each.name) for group, each in declared() if group == "library"}
    assert named == needed | BY_ANOTHER


@pytest.mark.parametrize("group, each", declared(), ids=str)
def test_a_dependency_is_a_range_that_admits_the_lock(group, each):
    if each.name == "cisgrammar":  # one extra asks for others
        assert each.extras <= set(PROJECT["project"]["optional-dependencies"])
        return
    assert each.specifier.contains(lock()[normal(each.name)])
    assert not any(part.operator in ("==", "===") for part in each.specifier)
    assert any(part.operator == ">=" for part in each.specifier)


def test_the_package_is_imported_without_what_is_large():
    code = "import sys, cisgrammar; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "cisgrammar" in modules
    assert {"torch", "pandas", "numpy", "scipy", "anndata"}.isdisjoint(modules)
