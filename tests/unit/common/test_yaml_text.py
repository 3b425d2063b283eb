from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.checks.config import complete_config
from cisgrammar.common.config import read_schema
from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import time_limit
from cisgrammar.common.yaml_text import problems_of_yaml

ROOT = Path(__file__).parents[3]
SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")
LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 30))


def problems(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    return list(problems_of_yaml(tmp_path / "config.yaml"))


@pytest.mark.parametrize(
    "text, word",
    [
        ("name: !!python/name:os.system\n", "!!python/name:os.system"),
        ("name: !!python/object/apply:os.system [ls]\n", "!!python/object/apply:os.system"),
        ("name: !own x\n", "!own"),
        (LAUGHS, "aliases"),
        ("a: &a [*a]\n", "an alias"),
        ("a: " + "[" * 5000 + "]" * 5000, "too deep"),
        ("pools: {n_pools: 1}\nseed: 1\npools: {}\n", "`pools` twice"),
        ("cells: {keep: {kind: [01]}}\n", "'01'"),
        ("cells: {keep: {kind: [12:30]}}\n", "'12:30'"),
        ("seed: 0x10\n", "0x10"),
        ("seed: 1_000\n", "1_000"),
    ],
    ids=[f"case{i}" for i in range(11)],
)
def test_what_cannot_be_meant_is_said(tmp_path, text, word):
    found = problems(tmp_path, text)
    assert len(found) == 1 and word in found[0]


@pytest.mark.parametrize(
    "text", ["", "a: 1", "a: &x 1\nb: *x\n", "a: -5\nb: 0\nc: 1.10\n", "{", "\0"]
)
def test_what_can_be_meant_or_is_no_yaml_passes(tmp_path, text):
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_configs_of_the_repository_pass(path):
    assert list(problems_of_yaml(path)) == []


@given(st.text(max_size=60))
def test_any_text_is_judged(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("yaml") / "config.yaml"
    path.write_bytes(text.encode("utf-8", "replace"))
    list(problems_of_yaml(path))


@pytest.mark.parametrize(
    "text",
    [
        "cells: {drop: {kind: [1.10]}}",
        "cells: {drop: {kind: [no]}}",
        "cells: {drop: {kind: [2020-01-01]}}",
        "cells: {drop: {1.5: [a]}}",
        "counts: {path: {NO: a.h5ad, SE: b.h5ad}}",
        "counts: {cell_type: 2020-01-01}",
        "motif_families: {categories: {immune: [1.10]}}",
        "motif_families: {categories: {yes: [T]}}",
        "annotations: {pseudotime: {root: 1.5}}",
        "counts: {batch: on}",
        "name: 1.5",
        "name: 2020-01-01",
    ],
)
def test_labels_that_yaml_took_for_something_else_are_to_be_quoted(text):
    with pytest.raises(InputError, match="quotes"):
        complete_config({"name": "x"} | yaml.safe_load(text), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        'name: "tiny\\n"',
        f"name: {'a' * 300}",
        f"seed: {10**400}",
        f"seed: {'9' * 5000}",
        "folds: {n_folds: 3000}",
    ],
)
def test_values_beyond_all_sense_are_refused(text):
    if text.count("9") > 4000:
        config = {"seed": int("9" * 4000) * 10**4000}
    else:
        config = yaml.safe_load(text)
    with pytest.raises(InputError) as raised:
        complete_config({"name": "x"} | config, SCHEMA)
    assert len(str(raised.value)) < 500


def test_a_section_of_thirty_thousand_keys_is_read_at_once(tmp_path):
    text = "a:\n" + "".join(f"  k{i}: 1\n" for i in range(30_000)) + "  k1: 2\n"
    with time_limit(30, "too slow"):
        assert problems(tmp_path, text) == [
            "line 2: the section there has the key `k1` twice. Remove one."
        ]
