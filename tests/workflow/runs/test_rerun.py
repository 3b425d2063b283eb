"""Only what a change reaches is made again."""

from __future__ import annotations

import copy
import os
import shutil

import pytest
import yaml

# each key, another value, and the rules that see the change themselves
CHANGES = [
    ("seed", 2, {"simulate_data"}),
    ("cells.n_pcs", 11, {"embed_cells"}),
    ("pools.cells_per_pool", 9, {"pool_cells"}),
    ("regions.upstream", 150, {"simulate_data"}),
    ("genome.min_overlap", 0.4, {"check_inputs"}),
    ("dataset.min_mean", 4, {"build_dataset"}),
    ("folds.validation", 0.3, {"split_folds"}),
    ("scover.search.learning_rate", [0.001, 0.05], {"tune_model"}),
    ("tuning.trials", 4, {"tune_model"}),
    ("training.epochs", 4, {"train_model", "train_controls"}),
    ("training.threads", 2, set()),
    ("motifs.min_sequences", 3, {"extract_motifs"}),
    ("alignment.threshold", 0.1, {"align_motifs"}),
    ("figures.n_motifs", 5, {"plot_influence"}),
]
MODULES = [
    ("cells/pooling.py", {"pool_cells"}),
    ("training/tuning.py", {"tune_model"}),
    ("motifs/filters.py", {"extract_motifs"}),
    ("plots/training.py", {"plot_training"}),
]
ALWAYS = {"write_provenance"}  # it writes the config down


def onward(graph, rules):
    """Add all rules that follow some."""
    found, todo = set(), list(rules)
    while todo:
        rule = todo.pop()
        if rule not in found:
            found.add(rule)
            todo += graph[rule]
    return found - {"all"}


@pytest.fixture(scope="module")
def graph(finished):
    return finished.rule_graph()


@pytest.fixture
def changed(finished, tmp_path):
    """Plan the finished run with another config."""

    def plan(config):
        other = tmp_path / "other.yaml"
        other.write_text(yaml.safe_dump(config))
        return set(finished.plan("--configfile", str(other)))

    return plan


def touch_all(folder):
    for path in folder.rglob("*"):
        os.utime(path)


def change_constant(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.mark.parametrize("key, value, rules", CHANGES, ids=[change[0] for change in CHANGES])
def test_a_changed_key_reruns_what_depends_on_it(
    finished, tiny_config, graph, changed, key, value, rules
):
    config = copy.deepcopy(tiny_config)
    section = config
    *path, last = key.split(".")
    for name in path:
        section = section.setdefault(name, {})
    assert section.get(last) != value
    section[last] = value
    assert changed(config) == onward(graph, rules) | ALWAYS


@pytest.mark.parametrize("module, rules", MODULES, ids=[module for module, _ in MODULES])
def test_a_changed_module_reruns_the_rules_that_use_it(
    finished, graph, sources_copy, run_class, module, rules
):
    with (sources_copy / "src/cisgrammar" / module).open("a") as text:
        text.write("\nNEW = 1\n")
    assert set(run_class(finished.folder, sources_copy).plan()) == onward(graph, rules)


def test_changed_comments_and_docstrings_rerun_nothing(finished, sources_copy, run_class):
    code = [*(sources_copy / "src").rglob("*.py"), *(sources_copy / "workflow").rglob("*.py")]
    for path in code:
        text = path.read_text()
        assert text.startswith('"""')
        path.write_text(text.replace('"""', '"""Changed: ', 1) + "\n# changed\n")
    assert run_class(finished.folder, sources_copy).plan() == {}


def test_adding_or_editing_a_model_reruns_no_job_of_another(finished, sources_copy, run_class):
    """A new model is a file, an entry and a schema; scover's jobs ask for none of them."""
    models = sources_copy / "src/cisgrammar/models"
    shutil.copy(models / "scbasset.py", models / "other.py")
    schemas = sources_copy / "workflow/schemas/models"
    shutil.copy(schemas / "scbasset.yaml", schemas / "other.yaml")
    where, abilities = "cisgrammar.models.other:Scbasset", 'frozenset({"inserts"})'
    entry = f'ModelSpec("other", "other", "{where}", CELLS, {abilities}),'
    registry = models / "registry.py"
    first = "        ModelSpec(\n"
    assert first in registry.read_text()
    registry.write_text(registry.read_text().replace(first, f"        {entry}\n{first}", 1))
    change_constant(models / "scbasset.py", "dropout: float = 0.2", "dropout: float = 0.3")
    run = run_class(finished.folder, sources_copy)
    assert run.plan() == {}
    said = run.snakemake("--dry-run", "--config", "models=[other]", fails=True)
    assert "key `models` names other" in said  # it is known, and needs peaks


def test_a_changed_model_is_trained_anew(finished, graph, sources_copy, run_class):
    scover = sources_copy / "src/cisgrammar/models/scover.py"
    change_constant(scover, "SCAN_BATCH = 1024", "SCAN_BATCH = 512")
    planned = set(run_class(finished.folder, sources_copy).plan())
    assert planned == onward(graph, {"tune_model", "train_model"})


def test_a_changed_script_reruns_its_rule(finished, graph, sources_copy, run_class):
    script = sources_copy / "workflow/scripts/gather_motifs.py"
    script.write_text(script.read_text() + "\nNEW = 1\n")
    planned = run_class(finished.folder, sources_copy).plan()
    assert set(planned) == onward(graph, {"gather_motifs"})


def test_a_finished_run_plans_nothing_also_with_new_file_times(finished, sources_copy, run_class):
    assert finished.plan() == {}
    touch_all(sources_copy)  # as a checkout does
    assert run_class(finished.folder, sources_copy).plan() == {}


def test_a_finished_run_plans_nothing(finished):
    assert finished.plan() == {}
    assert "Nothing to be done" in finished.snakemake("--cores", "1", "--dry-run")


def test_forcerun_runs_a_rule_and_what_depends_on_it(finished):
    plan = finished.plan("--forcerun", "gather_motifs")
    assert plan["gather_motifs"] == 1
    assert {"gather_influence", "plot_influence"} <= set(plan)
    assert "write_summary" in plan, "it reads what families become"
    assert not set(plan) & {"train_model", "extract_motifs", "pool_cells", "build_dataset"}


def test_a_changed_caption_reruns_nothing(finished, sources_copy, run_class):
    for caption in (sources_copy / "workflow/report").glob("*.rst"):
        caption.write_text(caption.read_text() + "\nMore.\n")
    assert run_class(finished.folder, sources_copy).plan() == {}


def test_a_touched_input_reruns_nothing_and_a_changed_one_what_reads_it(finished_copy, graph):
    run = finished_copy
    genome = run.results / "simulation/genome.fa"
    assert genome.stat().st_size < 1_000_000  # Snakemake compares the content of small files only
    os.utime(genome)
    assert run.plan() == {}
    sequence = genome.read_text()
    genome.write_text(sequence[:-5] + "ACGT\n")
    readers = {"check_inputs", "define_regions", "build_dataset"}
    assert set(run.plan()) == onward(graph, readers) | ALWAYS
