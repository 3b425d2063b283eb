"""The cluster profile against the rules, without a cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from cisgrammar.common.provenance import LIBRARY, imported_modules

ROOT = Path(__file__).parents[2]
PROFILE = yaml.safe_load((ROOT / "slurm/config.yaml").read_text())
GPU_RULES = {
    path.stem
    for path in (ROOT / "workflow/scripts").glob("*.py")
    if LIBRARY / "common/devices.py" in imported_modules(path)[0]
}
LONG = {
    "run_baselines",
    "run_population_baselines",
}  # rules of a fold that are worth a job of their own
BLOCKS = {
    block.partition(":")[0]: block
    for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for block in re.split(r"^\s*rule ", path.read_text(), flags=re.M)[1:]
}
USED_AGAIN = {  # `use rule x as y`
    name
    for path in (ROOT / "workflow/rules").glob("*.smk")
    for name in re.findall(r"^use rule \w+ as (\w+)", path.read_text(), re.M)
}


def test_the_rules_that_train_ask_for_a_gpu_and_no_others():
    assert {"tune_model", "train_model"} <= GPU_RULES
    asked = {rule: resources["gpu"] for rule, resources in PROFILE["set-resources"].items()}
    assert asked == dict.fromkeys(GPU_RULES, 1)
    partitions = {r["slurm_partition"] for r in PROFILE["set-resources"].values()}
    assert partitions.isdisjoint({PROFILE["default-resources"]["slurm_partition"]})


def test_the_profile_names_no_rule_that_is_not_there():
    assert set(PROFILE["set-resources"]) | set(PROFILE["groups"]) <= set(BLOCKS) | USED_AGAIN


@pytest.mark.parametrize("rule", BLOCKS)
def test_every_rule_says_its_memory_and_time(rule):
    assert re.search(r"mem_mb=scaled\(", BLOCKS[rule])
    assert re.search(r"runtime=scaled\(", BLOCKS[rule])


@pytest.mark.parametrize("rule", BLOCKS)
def test_every_rule_digests_its_own_code(rule):
    assert re.search(rf'code=((model|network)_)?code\("{rule}"\)', BLOCKS[rule])


@pytest.mark.parametrize("rule", BLOCKS)
def test_a_rule_that_loads_a_model_digests_that_models_code(rule):
    script = ROOT / f"workflow/scripts/{rule}.py"
    loads = LIBRARY / "models/checkpoints.py" in imported_modules(script)[0]
    digests = re.search(rf'code=(model|network)_code\("{rule}"\)', BLOCKS[rule])
    assert (digests is not None) == loads


def test_the_small_rules_of_a_fold_are_one_job():
    per_fold = {rule for rule, block in BLOCKS.items() if "{wildcards.fold}" in block}
    group = "{model}.fold{fold}"
    assert {r for r, g in PROFILE["groups"].items() if g == group} == per_fold - GPU_RULES - LONG
    assert PROFILE["group-components"][group] > 3
    assert GPU_RULES.isdisjoint(PROFILE["groups"])


def test_a_plan_with_the_profile_needs_no_slurm_and_accepts_the_groups(new_run, tiny_config):
    run = new_run(tiny_config | {"folds": {"n_folds": 3}})
    said = run.snakemake("--profile", "slurm", "--dry-run")
    assert "Using profiles slurm" in said
    assert run.plan("--profile", "slurm")["tune_model"] == 3
