from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cisgrammar.checks.config import SIMULATIONS, complete_config
from cisgrammar.common.config import RENAMED, read_schema
from cisgrammar.common.errors import InputError
from cisgrammar.simulate.settings import MultiomeSettings, PopulationSettings, PromoterSettings

ROOT = Path(__file__).parents[3]
SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


def keys_of(schema, where=""):
    """Yield the dotted name and the rule of every key."""
    for key, rule in schema.get("properties", {}).items():
        yield f"{where}{key}", rule
        yield from keys_of(rule, f"{where}{key}.")


KEYS = dict(keys_of(SCHEMA))


def fails_with(config, *patterns):
    with pytest.raises(InputError) as raised:
        complete_config(config, SCHEMA, source="my.yaml")
    message = str(raised.value)
    for pattern in patterns:
        assert pattern in message
    return message


def test_schema_is_valid():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_type_description_and_default(key):
    rule = KEYS[key]
    assert "type" in rule
    assert rule.get("description", "").strip()
    section, _, name = key.rpartition(".")
    required = (KEYS[section] if section else SCHEMA).get("required", [])
    assert ("default" in rule) != (name in required)
    if "default" in rule:
        assert not list(Draft202012Validator(rule).iter_errors(rule["default"]))
    if "properties" in rule:
        assert rule["additionalProperties"] is False


ABLATED = {
    "models": ["scxpresso"],
    "populations": {},
    "counts": {"path": "a.h5ad", "cell_type": "kind"},
}


@pytest.mark.parametrize("old, new", RENAMED.items())
def test_keys_of_earlier_versions_are_told_their_new_name(old, new):
    assert new in KEYS and old not in KEYS
    section, _, key = old.rpartition(".")
    value = {section: {key: 1}} if section else {key: 1}
    with pytest.raises(InputError, match=f"`{old}` is now called `{new}`. Write its value there."):
        complete_config({"name": "x"} | value, SCHEMA)


def test_config_readme_explains_every_key_with_its_default():
    """A new key needs a line, a new section a heading, in config/README.md."""
    lines = (ROOT / "config/README.md").read_text(encoding="utf-8").splitlines()
    headings = [line.strip("#` ") for line in lines if line.startswith(("## `", "### `"))]
    assert sorted(headings) == sorted(key for key, rule in KEYS.items() if "properties" in rule)
    rows = [line.split(" | ")[:2] for line in lines if line.startswith("| `")]
    explained = {key.strip("| `"): _default(text) for key, text in rows}
    assert explained == {
        key: rule.get("default", "required")
        for key, rule in KEYS.items()
        if "properties" not in rule
    }


def _default(text):
    return None if text == "empty" else yaml.safe_load(text.strip("`"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_configs_of_the_repository_are_good(path):
    config = complete_config(yaml.safe_load(path.read_text()), SCHEMA, path.name)
    assert set(config) == set(SCHEMA["properties"])


def test_defaults_are_the_papers():
    config = complete_config({"name": "x"}, SCHEMA)
    assert config["scover"]["network"]["filters"] == 600
    assert config["scover"]["network"]["width"] == 12
    assert config["scover"]["search"] == {
        "learning_rate": [5e-4, 5e-2],
        "sigma_motifs": [1e-7, 1e-3],
        "sigma_net": [1e-5, 1e-2],
        "batch_size": [64, 128, 256, 512],
    }
    assert config["tuning"] == {
        "trials": 100,
        "epochs": 40,
        "grace": 1,
        "reduction": 2,
        "warm_start": None,
        "side_by_side": None,
    }
    assert config["training"]["patience"] == 1
    folds = {"n_folds": 10, "validation": 0.2, "by": "random"}
    assert config["folds"] == {**folds, "test_chromosomes": None, "validation_chromosomes": None}
    assert config["regions"] == {"upstream": 500, "downstream": 500, "bed": None}
    peaks = complete_config({"name": "x", "peaks": {"distal": {}}}, SCHEMA)["peaks"]
    assert peaks["length"] == 240
    assert peaks["distal"] == {"upstream": 8000, "downstream": 2000}
    assert config["dataset"] == {"min_detected": 0.05, "weak_detected": 0.16, "min_mean": 3}
    assert config["cells"]["n_pcs"] == 100
    assert config["pools"]["n_pools"] == 1000
    assert config["simulation"] is None


def test_given_values_stay_and_the_rest_is_filled_in():
    given_values = {
        "name": "x",
        "scover": {"network": {"filters": 5}, "search": {"batch_size": [8]}},
    }
    config = complete_config(given_values, SCHEMA)
    assert config["scover"]["network"]["filters"] == 5
    assert config["scover"]["search"]["batch_size"] == [8]
    assert config["scover"]["search"]["learning_rate"] == [5e-4, 5e-2]
    assert given_values == {
        "name": "x",
        "scover": {"network": {"filters": 5}, "search": {"batch_size": [8]}},
    }


def test_defaults_are_copies():
    complete_config({"name": "x"}, SCHEMA)["scover"]["search"]["batch_size"].append(1)
    assert 1 not in complete_config({"name": "x"}, SCHEMA)["scover"]["search"]["batch_size"]


def test_completing_twice_changes_nothing():
    once = complete_config({"name": "x", "simulation": {}}, SCHEMA)
    assert complete_config(once, SCHEMA) == once


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"sedd": 1}, "my.yaml: key `sedd` is not known. Did you mean `seed`?"),
        ({"pools": {"n_pool": 1}}, "key `pools.n_pool` is not known. Did you mean `pools.n_pools`"),
        (
            {"scover": {"search": {"learn_rate": [1, 2]}}},
            "`scover.search.learn_rate` is not known. Did you mean `scover.search.learning_rate`?",
        ),
        ({"folds": {"xyz": 1}}, "Known: n_folds, validation, by, "),
        ({"folds": {1: 1}}, "a key in `folds` is 1, a number for YAML"),
        ({"seed": "one"}, "key `seed` is 'one', but it should be a whole number, at least 0."),
        ({"seed": -1}, "key `seed` is -1, but it should be a whole number, at least 0."),
        ({"seed": 1.5}, "key `seed` is 1.5, but it should be a whole number"),
        ({"seed": 1.0}, "key `seed` is 1.0, but it should be a whole number"),
        ({"seed": True}, "key `seed` is True, but it should be a whole number"),
        ({"seed": None}, "key `seed` is empty, but it should be a whole number"),
        ({"pools": None}, "key `pools` is empty, but it should be a section of keys"),
        ({"cells": {"exact_pca": "no"}}, "is 'no', but it should be true or false"),
        ({"cells": {"drop_first_pc": "no"}}, "is 'no', but it should be one of auto, true, false."),
        ({"cells": {"drop_first_pc": 1}}, "is 1, but it should be one of auto, true, false."),
        ({"folds": {"by": "gene"}}, "is 'gene', but it should be one of random, chromosome"),
        ({"folds": {"validation": 1}}, "more than 0, less than 1"),
        ({"folds": {"validation": float("nan")}}, "key `folds.validation` is nan"),
        ({"dataset": {"min_mean": float("inf")}}, "key `dataset.min_mean` is inf"),
        ({"models": []}, "a list, with at least 1 entries"),
        (
            {"models": ["scovre"]},
            "key `models.0` is 'scovre', but it should be one of hybrid, scbasset, scover",
        ),
        ({"name": "a b"}, "key `name` is 'a b'"),
        ({"name": ""}, "key `name` is ''"),
        ({"name": "../up"}, "key `name` is '../up'"),
        ({"scover": {"search": {"sigma_net": [1]}}}, "with at least 2 entries"),
        ({"scover": {"search": {"sigma_net": 0.1}}}, "is 0.1, but it should be a list"),
    ],
)
def test_bad_values_say_what_would_be_right(changes, message):
    assert message in fails_with({"name": "x", **changes})


@pytest.mark.parametrize("text", ["5e-4", "1e5", "5.0e4"])
def test_numbers_that_yaml_takes_for_text_are_explained(text):
    value = yaml.safe_load(text)
    assert isinstance(value, str)
    search = {"learning_rate": [value, 1]}
    fails_with({"name": "x", "scover": {"search": search}}, repr(text), "YAML", "5.0e-4", "5.0e+4")


def test_whole_numbers_that_yaml_takes_for_text_are_explained():
    said = fails_with({"name": "x", "tuning": {"trials": yaml.safe_load("5e1")}}, "'5e1'", "YAML")
    assert "write whole numbers without an exponent, as in 50" in said and "5.0e" not in said


@pytest.mark.parametrize(
    "changes",
    [
        {"folds": {"n_folds": "3"}},
        {"training": {"threads": "2"}},
        {"scover": {"search": {"sigma_net": ["0.1", 1]}}},
        {"counts": {"path": "a.h5ad", "accept_non_integer": "true"}},
    ],
)
def test_quoted_numbers_are_explained(changes):
    fails_with(
        {"name": "x", **changes}, "leave out the quotes", "braces of `--config`", "second file"
    )


def test_what_is_no_number_gets_no_advice_about_quotes():
    assert "quotes" not in fails_with({"name": "x", "folds": {"n_folds": "three"}}, "'three'")


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"scover": {"search": {"learning_rate": [0.05, 0.0005]}}},
            "key `scover.search.learning_rate` is [0.05, 0.0005], but the lowest comes first",
        ),
        (
            {"simulation": {"min_activity": 2, "max_activity": 1}},
            "key `simulation.min_activity` is 2, but it should be at most "
            "`simulation.max_activity` (1)",
        ),
        (
            {"simulation": {"min_occurrence": 0.9, "max_occurrence": 0.5}},
            "should be at most `simulation.max_occurrence` (0.5)",
        ),
        (
            {"regions": {"upstream": 5, "downstream": 6}},
            "key `scover.network.width` is 12, but windows are 11 bases long "
            "(`regions.upstream` + `regions.downstream`)",
        ),
        (
            {"regions": {"upstream": 10, "downstream": 11}, "scover": {"network": {"bins": 11}}},
            "key `scover.network.bins` is 11, but in windows of 21 bases "
            "(`regions.upstream` + `regions.downstream`) a filter of 12 has 10 places",
        ),
    ],
)
def test_values_that_contradict_each_other(changes, message):
    assert message in fails_with({"name": "x", **changes})


def test_missing_key_is_described():
    fails_with({}, "my.yaml: key `name` is missing. Names the data set")


def test_all_problems_are_told_at_once():
    message = fails_with({"sedd": 1, "pools": {"n_pools": 0, "q": 2}, "folds": {"by": "x"}})
    assert message.startswith("5 problems:")
    for key in ("`sedd`", "`pools.n_pools`", "`pools.q`", "`folds.by`", "`name`"):
        assert key in message


@given(st.dictionaries(st.sampled_from([*KEYS, "other"]), st.none() | st.integers() | st.text()))
def test_any_config_is_completed_or_refused_in_words(values):
    try:
        config = complete_config({"name": "x", **values}, SCHEMA)
    except InputError as error:
        assert str(error)
    else:
        assert complete_config(config, SCHEMA) == config


@pytest.mark.parametrize(
    "config, patterns",
    [
        ({"folds": {"n_folds": 1}}, ["`folds.n_folds` is 1", "`folds.test_chromosomes`"]),
        ({"folds": {"test_chromosomes": ["chr2"]}}, ["`folds.n_folds` is 10"]),
        ({"folds": {"validation_chromosomes": ["chr2"]}}, ["needs `folds.test_chromosomes`"]),
        (
            {"given": {"targets": "t.tsv"}, "simulation": {}},
            ["`simulation` and `given` are set", "from one of them"],
        ),
        (
            {"given": {"targets": "t.tsv"}, "counts": {"path": "c.h5ad"}},
            ["`given` and `counts.path`"],
        ),
        ({"given": {"fasta": "s.fa"}}, ["`given.targets` is missing"]),
        (
            {"comparison": {"baselines": ["mean", "lasso"]}},
            ["`comparison.baselines.1` is 'lasso'", "kmer_logistic"],
        ),
        ({"comparison": {"controls": ["shuffled"]}}, ["`comparison.controls.0` is 'shuffled'"]),
    ],
)
def test_comparison_folds_and_sources_of_data(config, patterns):
    fails_with({"name": "x", **config}, *patterns)


def test_given_data_need_no_other_section():
    config = complete_config({"name": "x", "given": {"targets": "t.tsv"}}, SCHEMA)
    assert config["given"]["cell_type"] == "cell_type"
    assert config["simulation"] is None and config["counts"]["path"] is None


@pytest.mark.parametrize(
    "config, message",
    [
        ({"counts": {"modality": "atac"}}, "`counts.modality` is atac, so the counts are of peaks"),
        ({"peaks": {}, "simulation": {}}, "`peaks` and `simulation` are set"),
        ({"peaks": {}, "given": {"targets": "t.tsv"}}, "`peaks` and `given` are set"),
        ({"peaks": {}, "regions": {"bed": "a.bed"}}, "`peaks` and `regions.bed` are set"),
        (
            {"peaks": {"path": "b.h5ad"}, "counts": {"path": "a.h5ad", "modality": "atac"}},
            "`peaks.path` is set, but `counts.modality` is atac",
        ),
        (
            {"peaks": {"path": {"y": "b"}}, "counts": {"path": {"x": "a"}}},
            "`peaks.path` names the batches y, but `counts.path` x",
        ),
        (
            {"peaks": {"path": "b.h5ad"}, "counts": {"path": {"x": "a"}}},
            "`peaks.path` names the batches none, but `counts.path` x",
        ),
        (
            {"cells": {"clusters": 1}, "counts": {"cell_type": "kind"}},
            "`cells.clusters` and `counts.cell_type` are set",
        ),
        (
            {"peaks": {"length": 10}, "scover": {"network": {"width": 12}}},
            "windows are 10 bases long (`peaks.length`)",
        ),
        ({"models": ["scbasset"]}, "`models` names scbasset, which learns the peaks of cells"),
        (
            {"models": ["scbasset"], "peaks": {}, "scbasset": {"training": {"folds": 11}}},
            "`scbasset.training.folds` is 11, but there are only 10 folds",
        ),
        (
            {"simulation": {"n_cells": 50, "multiome": {}}},
            "`simulation.n_cells` is set, but it is not about a multiome, which has keys of its "
            "own. Set `simulation.multiome.n_cells`.",
        ),
        ({"simulation": {"other_tfs": 5, "multiome": {}}}, "keys of its own. Remove it."),
        (
            ABLATED | {"scxpresso": {"ablations": {"windows": [[8000, 500]]}}},
            "asks for 8000 + 500 bases, but windows have 7000 + 3500",
        ),
        (
            ABLATED
            | {
                "scxpresso": {
                    "network": {"inputs": "sequence"},
                    "ablations": {"inputs": ["features"]},
                }
            },
            "`scxpresso.network.inputs` is sequence already",
        ),
        (
            {"simulation": {"multiome": {"min_activity": 3}}},
            "`simulation.multiome.min_activity` is 3",
        ),
    ],
)
def test_peaks_that_contradict_the_rest(config, message):
    assert "problems" not in fails_with({"name": "x", **config}, message)


@pytest.mark.parametrize(
    "config",
    [
        {"peaks": {}, "counts": {"path": "a.h5"}},
        {"peaks": {"path": "b.h5ad"}, "counts": {"path": "a.h5ad"}},
        {"peaks": {"path": {"x": "b"}}, "counts": {"path": {"x": "a"}}},
        {"peaks": {}, "counts": {"path": "a.h5ad", "modality": "atac"}},
        {"peaks": {}, "simulation": {"multiome": {}}, "models": ["scover", "scbasset"]},
        {"peaks": {}, "simulation": {"multiome": {}}, "counts": {"modality": "atac"}},
        {"peaks": {"length": 5}, "models": ["scbasset"]},
        {"regions": {"bed": "a.bed", "upstream": 0, "downstream": 0}},
    ],
)
def test_ways_to_have_peaks(config):
    complete_config({"name": "x", **config}, SCHEMA)


@pytest.mark.parametrize(
    "path, settings, others",
    [
        ("simulation", PromoterSettings(), {"upstream", "downstream"}),
        ("simulation.multiome", MultiomeSettings(), set()),
        ("simulation.populations", PopulationSettings(), {"upstream", "downstream"}),
    ],
)
def test_defaults_of_simulations_are_those_of_the_code(path, settings, others):
    keys = SCHEMA
    for section in path.split("."):
        keys = keys["properties"][section]
    keys = {key: rule for key, rule in keys["properties"].items() if key not in SIMULATIONS}
    assert set(keys) == {field.name for field in fields(settings)} - others
    for key, rule in keys.items():
        default = getattr(settings, key)
        assert rule["default"] == (list(default) if isinstance(default, tuple) else default), key
