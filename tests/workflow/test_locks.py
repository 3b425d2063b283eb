"""Several runs at once, several people, and names that would be commands."""

from __future__ import annotations

import ast
import copy
import time
from pathlib import Path

import pytest

from cisgrammar.checks.config import complete_config
from cisgrammar.common.config import read_schema
from cisgrammar.common.errors import InputError

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("src/**/*.py"), *ROOT.glob("workflow/scripts/*.py")]
NAMES = ["a; touch hacked", "a b", "$(touch hacked)", "../a", "a/b", "-a", "a\nb", ""]


@pytest.fixture
def waiting_run(new_run):
    """Give a run that holds its folder's lock."""
    run = new_run()
    process = run.start("--cores", "1")
    locks = run.folder / ".snakemake/locks"
    end = time.monotonic() + 60
    while not (locks.exists() and any(locks.iterdir())):
        assert time.monotonic() < end
        time.sleep(0.05)
    yield run
    run.kill(process)


def test_a_second_run_in_one_folder_stops_with_a_message(waiting_run):
    said = waiting_run.snakemake("--cores", "1", fails=True)
    assert "Directory cannot be locked" in said
    assert "--unlock" in said


def test_two_data_sets_run_side_by_side_in_one_folder(new_run, tiny_config):
    run = new_run()
    processes = []
    for name in ("one", "two"):
        config = copy.deepcopy(tiny_config)
        config["name"] = name
        run.configure(config)
        other = run.folder / "config.yaml"
        own = other.rename(run.folder / f"{name}.yaml")
        target = f"results/{name}/preflight.tsv"
        command = ["--configfile", str(own), "--cores", "1", "--", target]
        processes.append((target, run.start(*command)))
    said = [process.communicate(timeout=300)[0] for _, process in processes]
    assert [process.returncode for _, process in processes] == [0, 0], said
    assert all((run.folder / target).exists() for target, _ in processes)


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_not_named_as_a_command(tiny_config, name):
    schema = read_schema(ROOT / "workflow/schemas/config.schema.yaml")
    with pytest.raises(InputError, match="name"):
        complete_config(tiny_config | {"name": name}, schema, source="config.yaml")


def test_a_name_that_is_a_command_stops_the_run(new_run, tiny_config):
    run = new_run(tiny_config | {"name": NAMES[0]})
    said = run.snakemake("--cores", "1", fails=True)
    assert "`name`" in said
    assert "Traceback" not in said
    assert not list(run.folder.rglob("hacked"))


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    """List all calls in a file by their dotted names."""
    return [
        (ast.unparse(node.func), node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]


def keyword(call: ast.Call, name: str) -> str | None:
    return next((ast.unparse(k.value) for k in call.keywords if k.arg == name), None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_executed_from_data(path):
    """Neither pickles, nor YAML's objects, nor shells, nor archives that write where they like."""
    text = path.read_text()
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported.isdisjoint({"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"})
    for name, call in calls(path):
        where = f"{path}:{call.lineno}: {name}"
        assert name not in {"eval", "exec", "os.system", "os.popen", "yaml.load"}, where
        assert name.rpartition(".")[2] not in {"read_pickle", "to_pickle", "unsafe_load"}, where
        assert keyword(call, "shell") in (None, "False"), where
        assert keyword(call, "allow_pickle") in (None, "False"), where
        if name == "torch.load":
            assert keyword(call, "weights_only") == "True", where
        if name.rpartition(".")[2] in {"extractall", "unpack_archive"}:
            assert keyword(call, "filter") == "'data'", where
