"""Configs and keys that the documents show are those of the schema."""

import re
import textwrap
from pathlib import Path

import pytest
import yaml

from cisgrammar.common.config import fill_in, read_schema
from cisgrammar.common.errors import InputError

ROOT = Path(__file__).parents[3]
SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "config").glob("*.md")),
    *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != "errors.md"),
    *sorted((ROOT / "docs/examples").glob("*.md")),
]
FILES = re.compile(r"\.(h5ad|tsv|py|yaml|smk|md|svg|html|meme|json|journal|checkpoint)$")


def shown_configs(text):
    """Give blocks of YAML, and words in code style such as `folds: {n_folds: 3}`."""
    blocks = re.findall(r"^ *```yaml\n(.*?)^ *```", text, re.S | re.M)
    sections = "|".join(SCHEMA["properties"])
    words = re.findall(rf"`((?:{sections}): [^`\n]+)`", text)
    for shown in [textwrap.dedent(block) for block in blocks] + words:
        config = yaml.safe_load(shown)
        if isinstance(config, dict) and set(config) & set(SCHEMA["properties"]):
            yield config


def wrong_in(config):
    try:
        fill_in(config, SCHEMA, "shown")
    except InputError as error:
        lines = re.findall(r"shown: .*", str(error))
        return [line for line in lines if "is missing" not in line]
    return []


def known_keys(schema, above=""):
    for key, rule in schema.get("properties", {}).items():
        yield above + key
        yield from known_keys(rule, f"{above}{key}.")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_configs_that_are_shown_are_accepted(path):
    text = path.read_text(encoding="utf-8")
    assert not [wrong for config in shown_configs(text) for wrong in wrong_in(config)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_keys_that_are_named_exist(path):
    named = re.findall(r"`([a-z_]+(?:\.[a-z0-9_]+)+)(?=[`: ])", path.read_text(encoding="utf-8"))
    keys = {key for key in named if key.split(".")[0] in SCHEMA["properties"]}
    assert not {key for key in keys if not FILES.search(key)} - set(known_keys(SCHEMA))


def test_a_key_that_was_moved_would_be_found():
    shown = "```yaml\nname: mine\nscover: {filters: 200}\n```\nand `folds: {n_fold: 3}`"
    assert [len(wrong_in(config)) for config in shown_configs(shown)] == [1, 1]
