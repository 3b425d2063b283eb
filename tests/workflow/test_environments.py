"""The conda environments against the lock, the rules, and what the rules' scripts import."""

from __future__ import annotations

import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from cisgrammar.common.provenance import imported_modules

ROOT = Path(__file__).parents[2]
ENVS = {path.stem: path for path in sorted((ROOT / "envs").glob("*.yaml"))}
RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))

CONDA_NAMES = {
    "torch": "pytorch",
    "matplotlib": "matplotlib-base",
    "igraph": "python-igraph",
}  # of packages of the lock
NOT_IN_LOCK = {"python", "pip", "bedtools"}
WITH_ANOTHER = {"triton"}  # comes with pytorch where that is built for CUDA, and is done without


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return {
        normal(name): version
        for name, _, version in (line.partition("==") for line in lines)
        if version
    }


def packages(env: Path) -> dict[str, str]:
    """Read an environment: versions by the names that the lock uses."""
    pip_names = {conda: pip for pip, conda in CONDA_NAMES.items()}
    found = {}
    for item in yaml.safe_load(env.read_text())["dependencies"]:
        for line in item["pip"] if isinstance(item, dict) else [item]:
            name, _, version = line.replace("==", "=").partition("=")
            found[normal(pip_names.get(name, name))] = version
    return found


def rules() -> dict[str, tuple[str | None, str | None]]:
    """Read the rules: the environment and the script of each."""
    found = {}
    for path in RULES:
        for block in re.split(r"^\s*rule ", path.read_text(), flags=re.M)[1:]:
            env = re.search(r'"\.\./\.\./envs/(\w+)\.yaml"', block)
            script = re.search(r'"\.\./scripts/(\w+)\.py"', block)
            found[block.partition(":")[0]] = (env and env[1], script and script[1])
    return found


def missing_imports(script: Path, env: Path) -> set[str]:
    """List what a script imports, itself or by the library, that an environment lacks."""
    imported = imported_modules(script)[1] - sys.stdlib_module_names - WITH_ANOTHER
    distributions = packages_distributions()
    there = packages(env)
    return {
        module
        for module in imported
        if not any(normal(name) in there for name in distributions.get(module, [module]))
    }


def test_there_are_rules_and_environments():
    assert len(rules()) > 20
    assert ENVS


@pytest.mark.parametrize("env", ENVS)
def test_an_environment_has_the_versions_of_the_lock(env):
    expected = lock()
    versions = packages(ENVS[env])
    assert NOT_IN_LOCK.isdisjoint(expected)
    pinned = {name: v for name, v in versions.items() if name not in NOT_IN_LOCK}
    assert pinned == {name: expected.get(name) for name in pinned}
    assert versions["python"] == "3.11"


@pytest.mark.parametrize("env", ENVS)
def test_an_environment_names_no_channel_but_conda_forge_and_bioconda(env):
    channels = yaml.safe_load(ENVS[env].read_text())["channels"]
    assert channels == ["conda-forge", "bioconda", "nodefaults"]


@pytest.mark.parametrize("rule", rules())
def test_a_rule_has_an_environment_that_covers_its_imports(rule):
    env, script = rules()[rule]
    assert script == rule, "a rule's script is named as the rule"
    assert env in ENVS
    assert missing_imports(ROOT / f"workflow/scripts/{script}.py", ENVS[env]) == set()


def test_no_environment_is_unused():
    assert {env for env, _ in rules().values()} == set(ENVS)


def test_every_script_has_a_rule():
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}
    assert scripts == {script for _, script in rules().values()}


def test_a_missing_import_is_found(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import optuna\nfrom cisgrammar.training.tuning import tune\nimport json\n")
    env = tmp_path / "env.yaml"
    env.write_text("dependencies: [python=3.11, numpy=1, pip: ['pandas==2']]")
    missing = missing_imports(script, env)
    assert {"optuna", "torch"} <= missing
    assert not {"numpy", "pandas", "json"} & missing
