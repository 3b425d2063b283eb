"""The pipeline as a Snakemake module of another workflow, and in folders with a space."""

from __future__ import annotations

import copy
import re
import subprocess

import pytest
import yaml
from conftest import SNAKEMAKE

CONFIGFILE = 'configfile: "settings/mine.yaml"'
MODULE = """\
{configfile}


module cisgrammar:
    snakefile:
        "{snakefile}"
    config:
        {config}


use rule * from cisgrammar{renamed}
{more}
"""
PIPELINE_ONLY = "config"  # the whole config is the pipeline's
SECTION = 'config["cisgrammar"]'


@pytest.fixture
def pipeline(sources_copy):
    """Put a copy of the pipeline into a folder with a space."""
    return sources_copy.rename(sources_copy.with_name("the pipeline"))


@pytest.fixture
def project(pipeline, tmp_path, tiny_config):
    """Make a workflow that takes the pipeline's rules, and call Snakemake in its folder."""
    folder = tmp_path / "my project"

    def call(*options, config=tiny_config, section=PIPELINE_ONLY, fails=False, **parts):
        (folder / "settings").mkdir(parents=True, exist_ok=True)
        settings = {"cisgrammar": config, "mine": 1} if section == SECTION else config
        (folder / "settings/mine.yaml").write_text(yaml.safe_dump(settings))
        values = {"configfile": CONFIGFILE, "config": section, "renamed": "", "more": ""} | parts
        text = MODULE.format(snakefile=pipeline / "Snakefile", **values)
        (folder / "Snakefile").write_text(text)
        command = [*SNAKEMAKE, "--cores", "1", *options]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, said[-6000:]
        return said

    call.folder = folder
    return call


def stats(said):
    """Give the lines of the table of jobs."""
    lines = said.partition("Job stats:")[2].partition("\ntotal ")[0].splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in lines[3:]}


@pytest.fixture(scope="module")
def expected(tmp_path_factory, tiny_config, run_class):
    """Plan the pipeline itself."""
    run = run_class(tmp_path_factory.mktemp("plain"))
    run.configure(tiny_config)
    return run.plan()


@pytest.mark.parametrize("section", [PIPELINE_ONLY, SECTION], ids=["config", "section"])
@pytest.mark.parametrize("prefix", ["", "cisgrammar_"], ids=["same", "renamed"])
def test_a_module_plans_the_same_jobs(project, expected, section, prefix):
    renamed = f" as {prefix}*" if prefix else ""
    planned = stats(project("--dry-run", renamed=renamed, section=section))
    assert planned == {f"{prefix}{rule}": n for rule, n in {**expected, "all": 1}.items()}


def test_the_pipeline_plans_the_same_jobs_in_a_folder_with_a_space(
    pipeline, new_run, run_class, expected
):
    run = new_run(folder="a run")
    assert run_class(run.folder, pipeline).plan() == expected


def test_a_module_leaves_config_and_report_of_its_workflow_alone(project, tiny_config):
    said = project("--dry-run", more="print('has:', workflow.report_text, *sorted(config))")
    (line,) = [line for line in said.splitlines() if line.startswith("has:")]
    assert line.split()[1:] == ["None", *sorted(tiny_config)]


@pytest.mark.parametrize("inline", [False, True], ids=["file", "inline"])
def test_a_mistake_in_the_config_of_a_module_is_told(project, tiny_config, inline):
    config = copy.deepcopy(tiny_config)
    config["pools"]["n_pool"] = config["pools"].pop("n_pools")
    given = {"section": repr(config), "configfile": ""} if inline else {}
    said = project("--dry-run", config=config, fails=True, **given)
    where = "the module's config" if inline else "settings/mine.yaml"
    assert re.search(rf"{where}: .*pools\.n_pool\b", said)


def test_a_rule_of_a_module_runs(project):
    project("results/tiny/simulation/genome.fa", renamed=" as cisgrammar_*")
    simulated = project.folder / "results/tiny/simulation"
    assert (simulated / "genome.fa").stat().st_size > 1000
    assert (simulated / "counts.h5ad").stat().st_size > 1000


def test_check_of_a_module_tells_what_a_run_will_do(project):
    said = project("cisgrammar_check", renamed=" as cisgrammar_*", section=SECTION)
    assert "No problem was found: the run can start." in said
    assert "cisgrammar_tune_model" in said
