"""What Snakemake plans to do; nothing is run."""

import copy
import re
import subprocess

import pandas as pd
import pytest
import yaml
from conftest import ROOT, SNAKEMAKE

from cisgrammar.checks.config import complete_config
from cisgrammar.common.config import read_schema
from cisgrammar.models.registry import MODELS, POOLS, POPULATIONS

CONFIGS = sorted((ROOT / "config").glob("*.yaml"))
SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")
ONCE = {
    "check_inputs",
    "write_provenance",
    "write_summary",
    "embed_cells",
    "pool_cells",
    "define_regions",
    "build_dataset",
    "split_folds",
    "plot_cells",
}
PER_FOLD = {"tune_model", "train_model", "evaluate_model", "extract_motifs", "score_influence"}
TRAINED = {"tune_model", "train_model"}
OF_ABILITY = {  # core rules that only some models have
    "dense_targets": {
        "evaluate_model",
        "gather_evaluation",
        "plot_training",
        "gather_comparison",
        "plot_comparison",
    },
    "filters": {
        "extract_motifs",
        "gather_motifs",
        "score_influence",
        "gather_influence",
        "plot_influence",
    },
}
OF_CELLS = ONCE - {"write_provenance", "write_summary", "split_folds"}
SIMULATED = {"simulate_data", "compare_truth", "plot_truth"}


def expected(config):
    """Count the core rules' jobs that a config asks for."""
    always = {"check_inputs", "write_provenance", "write_summary"}
    counts, simulation = dict.fromkeys(always, 1), {}
    if any(MODELS[model].data is not POPULATIONS for model in config["models"]):
        counts["embed_cells"] = 1
    pooled = any(MODELS[model].data is POOLS for model in config["models"])
    if pooled:
        counts |= dict.fromkeys(ONCE, 1)
    for model in config["models"]:
        folds = config[model].get("training", {}).get("folds", config["folds"]["n_folds"])
        own = [rules for ability, rules in OF_ABILITY.items() if ability in MODELS[model].abilities]
        for rule in TRAINED.union(*own):
            counts[rule] = counts.get(rule, 0) + (folds if rule in PER_FOLD else 1)
    if config["given"] is not None:
        counts = {rule: count for rule, count in counts.items() if rule not in OF_CELLS}
        counts["read_sequences"] = 1
    if config["peaks"] is not None and pooled:
        del counts["define_regions"]
        counts["define_peaks"] = 1
    if config["simulation"] is not None:
        promoters = all(
            config["simulation"][other] is None for other in ("multiome", "populations", "links")
        )
        simulation = dict.fromkeys(SIMULATED if promoters else {"simulate_data"}, 1)
    return counts | simulation


def among(plan, rules):
    return {rule: count for rule, count in plan.items() if rule in rules}


def with_inputs(config, folder):
    """Point a config to files that are there, and downloads to an empty folder, for a plan."""
    config = copy.deepcopy(config)
    files = [("counts", "path"), ("genome", "fasta"), ("genome", "gtf")]
    files += [("gene_sets", "gmt")]
    files += [("given", key) for key in ("fasta", "targets", "regions", "labels")]
    files += [("populations", *keys) for keys in (("half_life", "cds_gtf"), ("table", "path"))]
    files += [("populations", "bulk", "path")]
    for *sections, key in files:
        section = config
        for name in sections:
            section = section.get(name) or {}
        value = section.get(key)
        if isinstance(value, str) and not value.startswith("download:"):
            path = folder / ".".join([*sections, key])
            path.write_text("a file")
            section[key] = str(path)
    config["downloads"] = {"folder": str(folder / "cache")}
    return config


def downloads(value):
    """List the files of the table of sources that a config names."""
    if isinstance(value, dict):
        return {name for part in value.values() for name in downloads(part)}
    is_one = isinstance(value, str) and value.startswith("download:")
    return {value.removeprefix("download:")} if is_one else set()


def fetched(config):
    """Count the jobs that bring a config's files."""
    wanted = downloads(config)
    table = pd.read_csv(ROOT / "resources/sources.tsv", sep="\t", keep_default_na=False)
    urls = dict(zip(table["dataset"] + "/" + table["file"], table["url"], strict=True))
    members = {name for name in wanted if "#" in urls[name]}
    archives = {urls[name].removeprefix("download:").partition("#")[0] for name in members}
    counts = {"unpack_file": len(members), "fetch_file": len((wanted - members) | archives)}
    return {rule: count for rule, count in counts.items() if count}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_plan_of_every_config_of_the_repository(path, new_run, tmp_path):
    config = with_inputs(yaml.safe_load(path.read_text()), tmp_path)
    plan = new_run(config).plan()
    complete = complete_config(config, SCHEMA)
    core = ONCE.union(SIMULATED, TRAINED, *OF_ABILITY.values(), {"read_sequences", "define_peaks"})
    core |= {"fetch_file", "unpack_file"}
    assert among(plan, core) == expected(complete) | fetched(config)


@pytest.mark.parametrize("ablations", [[], ["no_distance", "permuted_cells"]])
def test_links_are_learned_in_each_fold_as_they_are_and_spoiled(new_run, ablations):
    config = yaml.safe_load((ROOT / "config/demo_links.yaml").read_text())
    config["links"] |= {"ablations": ablations, "folds": {"n_folds": 2}}
    plan = new_run(config).plan()
    n = 1 + len(ablations)
    once = {"find_candidates", "score_link_baselines", "write_link_activities", "plot_links"}
    once |= {"write_link_tracks", "evaluate_links"}
    expected = dict.fromkeys(once, 1) | {"train_links": 2 * n, "score_links": n}
    assert among(plan, expected) == expected


def test_configs_of_the_paper_have_its_settings():
    def complete(name):
        return complete_config(yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()), SCHEMA)

    kidney, muris, cortex = map(complete, ("human_kidney", "tabula_muris", "human_cortex"))
    for config, q, limits in [
        (kidney, 120, [0.05, 0.16, 3]),
        (muris, 80, [0.03, 0.08, 4]),
        (cortex, 100, [0.06, 0.15, 4]),
    ]:
        assert config["pools"] == {"n_pools": 1000, "cells_per_pool": q, "n_pcs": 40}
        assert list(config["dataset"].values()) == limits
        assert config["folds"]["n_folds"] == 10
        assert config["cells"]["n_pcs"] == 100
        assert config["cells"]["drop_first_pc"] is True
    assert len(muris["counts"]["path"]) == 20
    assert "erythrocyte" in muris["cells"]["drop"]["cell_type"]
    assert (muris["cells"]["trim"], muris["cells"]["umap_min_dist"]) == (10000, 0.3)
    assert cortex["peaks"]["length"] == 240
    assert cortex["peaks"]["distal"] == {"upstream": 8000, "downstream": 2000}
    assert kidney["motif_families"]["categories"]


@pytest.mark.parametrize("n_folds", [2, 7])
def test_folds_decide_the_number_of_jobs(new_run, tiny_config, n_folds):
    plan = new_run({**tiny_config, "folds": {"n_folds": n_folds}}).plan()
    assert among(plan, PER_FOLD) == dict.fromkeys(PER_FOLD, n_folds)


@pytest.mark.parametrize(("warm_start", "searches"), [(None, 1), (3, 2)])
def test_folds_wait_for_the_first_ones_search_where_they_start_from_it(
    new_run, tiny_config, warm_start, searches
):
    config = copy.deepcopy(tiny_config)
    config["tuning"]["warm_start"] = warm_start
    config["scover"]["search"] = {"batch_size": [16, 32]}
    run = new_run(config)
    plan = run.plan(f"results/{config['name']}/scover/fold1/hyperparameters.json")
    assert plan["tune_model"] == searches


@pytest.mark.parametrize("bins", [1, 3])
def test_families_are_located_where_there_are_bins(new_run, tiny_config, bins):
    config = copy.deepcopy(tiny_config)
    config["scover"] = config.get("scover", {})
    config["scover"]["network"] = config["scover"].get("network", {}) | {"bins": bins}
    located = among(new_run(config).plan(), {"locate_families", "plot_positions"})
    assert located == ({"locate_families": 1, "plot_positions": 1} if bins > 1 else {})


@pytest.mark.parametrize("models", [["scover"], ["hybrid", "scover"]])
def test_several_models_are_compared_with_each_other(new_run, tiny_config, models):
    plan = new_run({**tiny_config, "models": models}).plan()
    assert plan.get("compare_models", 0) == (len(models) > 1)


def test_models_of_pools_cells_and_populations_stand_in_one_config(new_run):
    config = yaml.safe_load((ROOT / "config/demo_atac.yaml").read_text())
    config |= {"models": ["scover", "scbasset", "scxpresso"]}
    config |= {"populations": {}, "scxpresso": {"network": {"inputs": "sequence"}}}
    plan = new_run(config).plan()
    data = ("build_dataset", "build_accessibility", "build_populations", "compare_models")
    assert among(plan, data) == dict.fromkeys(data, 1)


NEURONS = {"sample_neurons", "read_neurons", "locate_facets", "plot_neurons"}


@pytest.mark.parametrize("networks", [0, 1, 2])
def test_neurons_are_read_where_they_are_asked_for(new_run, tiny_config, tmp_path, networks):
    """Of the models with convolutions, and of a network of the user's."""
    files = {"weights": tmp_path / "own.pt", "description": tmp_path / "own.yaml"}
    for file in files.values():
        file.write_text("layers: []\n")
    own = {key: str(file) for key, file in files.items()}
    section = [{}, {"neurons": {}}, {"neurons": own}][networks]
    plan = new_run({**tiny_config, **section}).plan()
    assert among(plan, NEURONS) == (dict.fromkeys(NEURONS, networks) if networks else {})


VARIANTS = {"predict_variants", "annotate_variants", "plot_variants"}


@pytest.mark.parametrize(
    "models, asked, n", [(["scover"], None, 1), (["hybrid", "scover"], None, 2),
                         (["hybrid", "scover"], ["hybrid"], 1)],
)  # fmt: skip
def test_variants_are_asked_of_the_models_that_are_named(
    new_run, tiny_config, tmp_path, models, asked, n
):
    (tmp_path / "mine.vcf").write_text("#CHROM\tPOS\tID\tREF\tALT\n")
    section = {"vcf": str(tmp_path / "mine.vcf"), "models": asked}
    plan = new_run({**tiny_config, "models": models, "variants": section}).plan()
    assert among(plan, VARIANTS) == dict.fromkeys(VARIANTS, n)


@pytest.mark.parametrize(
    "target, rules",
    [
        ("results/tiny/preflight.tsv", {"simulate_data": 1, "check_inputs": 1}),
        (
            "results/tiny/scover/fold1/motifs.meme",
            {
                **dict.fromkeys(ONCE - {"plot_cells", "write_provenance", "write_summary"}, 1),
                "simulate_data": 1,
                "tune_model": 1,
                "train_model": 1,
                "extract_motifs": 1,
            },
        ),
    ],
)
def test_a_target_on_the_command_line_asks_for_what_it_needs(new_run, target, rules):
    assert new_run().plan(target) == rules


def test_until_stops_there(new_run):
    plan = new_run().plan("--until", "pool_cells")
    assert plan == {"simulate_data": 1, "check_inputs": 1, "embed_cells": 1, "pool_cells": 1}


def test_an_unknown_target_is_an_error(new_run):
    said = new_run().snakemake("--dry-run", "results/tiny/scover/fold9000/motif.mem", fails=True)
    assert "MissingRuleException" in said


def test_rules_scripts_and_logs_bear_one_name():
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    names = re.findall(r"^\s*rule (\w+):", rules, re.M)
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}
    assert sorted(names) == sorted(scripts)
    assert sorted(re.findall(r'"\.\./scripts/(\w+)\.py"', rules)) == sorted(names)
    own = re.sub(
        r"^( *)use rule .*?(?=^\1\S|^\S)", "", rules, flags=re.M | re.S
    )  # those have another's log
    assert sorted(re.findall(r'^\s+"logs/(\w+)/', own, re.M)) == sorted(names)


def test_every_output_is_explained(new_run, tiny_config, tmp_path):
    """A new output of the workflow needs a line in docs/outputs.md."""
    (tmp_path / "mine.vcf").write_text("#CHROM\tPOS\tID\tREF\tALT\n")
    asked = {"neurons": {}, "variants": {"vcf": str(tmp_path / "mine.vcf")}, "attributions": {}}
    config = tiny_config | asked
    said = new_run(config).snakemake("--dry-run", "--detailed-summary")
    files = [line.split("\t")[0] for line in said.splitlines() if line.startswith("results/")]
    assert len(files) > 50
    generic = {
        re.sub(r"/fold\d+/", "/fold{fold}/", file.removeprefix("results/tiny/")).replace(
            "scover/", "{model}/"
        )
        for file in files
    }
    text = (ROOT / "docs/outputs.md").read_text(encoding="utf-8")
    figures = {file for file in generic if "/figures/" in f"/{file}"}
    assert not {file for file in generic - figures if f"`{file}`" not in text}
    names = {file.rpartition("/")[2].rpartition(".")[0] for file in figures}
    assert not {name for name in names if f"`{name}`" not in text}


def test_commands_of_the_readme_are_understood(new_run):
    """Options that README.md shows exist."""
    shown = re.findall(r"^ *snakemake (.*)$", (ROOT / "README.md").read_text(), re.M)
    assert shown
    help_text = subprocess.run(
        [*SNAKEMAKE, "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in {word for line in shown for word in line.split() if word.startswith("--")}:
        assert option in help_text
