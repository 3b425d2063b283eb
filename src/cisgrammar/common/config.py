"""The config: one YAML is one data set, checked against one schema before anything runs."""

from __future__ import annotations

import copy
import difflib
import math
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, TypeChecker, ValidationError
from jsonschema.validators import extend

from cisgrammar.common.errors import Problems

LARGEST = 10**18
QUOTE = "If a name or label is meant, put it in quotes, as in '1.10' or 'no'."
IN_QUOTES = (
    " It is text here: leave out the quotes. Inside the braces of `--config`, Snakemake takes "
    "every number for text: write such keys into a second file, and name it after `--configfile` "
    "as well."
)
_PLAIN_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?")
_NUMBER_AS_TEXT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")

# Keys of earlier versions, and what they are called now.
RENAMED = {
    "families": "models",
    "scover.filters": "scover.network.filters",
    "scover.width": "scover.network.width",
    "scbasset.length": "accessibility.length",
    "scbasset.min_share": "accessibility.min_share",
    **{
        f"scbasset.{key}": f"scbasset.{section}.{key}"
        for section, keys in {
            "network": "stem_filters stem_width stem_pool tower_filters tower_width tower_pool "
            "last_filters bottleneck dropout precision",
            "training": "folds epochs patience checkpoint_epochs max_shift augment_per_sequence "
            "betas l2_cells l2_batches correct_batches "
            "auroc_cells least_auroc_gain shuffled_control",
        }.items()
        for key in keys.split()
    },
}


def _is_number(_: TypeChecker, value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _is_integer(_: TypeChecker, value: object) -> bool:
    # JSON Schema takes 3.0 for an integer, Python's range() does not
    return isinstance(value, int) and not isinstance(value, bool)


def _matches(_: Any, pattern: str, instance: object, __: Any) -> Iterator[ValidationError]:
    # `$` would take a new line at the end
    if isinstance(instance, str) and not re.fullmatch(pattern.removesuffix("$"), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = extend(
    Draft202012Validator,
    {"pattern": _matches},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_integer}
    ),
)


def read_schema(path: str | Path) -> dict[str, Any]:
    """Read the JSON schema of the config, written as YAML.

    Parameters
    ----------
    path
        The schema. Each file ``models/NAME.yaml`` beside it is the schema of a model's section,
        and a name that the key ``models`` may hold.
    """
    schema = _read(Path(path))
    sections = {file.stem: _read(file) for file in sorted(Path(path).parent.glob("models/*.yaml"))}
    if sections:
        schema["properties"]["models"]["items"]["enum"] = list(sections)
    schema["properties"].update(sections)
    return schema


def _read(path: Path) -> dict[str, Any]:
    """Read YAML as `yaml.safe_load` does, in C if it is there: ten times as fast."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(path.read_text())
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def fill_in(
    config: dict[str, Any], schema: dict[str, Any], source: str = "config"
) -> dict[str, Any]:
    """Check a config and fill in the defaults.

    Parameters
    ----------
    config
        What the user wrote.
    schema
        JSON schema in which every key has a type and a description, and either
        a default or a place in ``required``.
    source
        The config's file name, for messages.

    Returns
    -------
    A new config with every key of the schema, in the schema's order.

    Raises
    ------
    InputError
        With every unknown key (and the nearest known one), missing key and bad value.
    """
    raise_all(source, _senseless(config))
    raise_all(source, _problems(config, schema))
    return _with_defaults(config, schema)


def raise_all(source: str, messages: Iterator[str]) -> None:
    """Raise one InputError with all messages about a config, if there are any."""
    problems = Problems()
    for message in messages:
        problems.add(f"{source}: {message}")
    problems.raise_if_any()


def _problems(config: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    errors = _Validator(schema).iter_errors(config)
    for error in sorted(errors, key=lambda e: [str(p) for p in e.absolute_path]):
        where = ".".join(str(p) for p in error.absolute_path)
        if error.validator == "additionalProperties":
            for key in sorted(set(error.instance) - set(error.schema["properties"]), key=str):
                yield _unknown_key(where, str(key), list(error.schema["properties"]))
        elif error.validator == "required":
            for key in sorted(set(error.validator_value) - set(error.instance)):
                told = error.schema["properties"].get(key, {}).get("description", "")
                text = f"key `{_join(where, key)}` is missing. {told}"
                yield text.strip()
        else:
            yield _bad_value(where, error)


def _senseless(value: object, where: str = "") -> Iterator[str]:
    """Say which keys are not text, but what YAML took a name for; which numbers are too long."""
    if isinstance(value, dict):
        for key, its in value.items():
            if not isinstance(key, str):
                section = f"in `{where}` " if where else ""
                yield f"a key {section}is {key!r}, {_taken_for(key)}. {QUOTE}"
            yield from _senseless(its, _join(where, str(key)))
    elif isinstance(value, list):
        for item in value:
            yield from _senseless(item, where)
    elif isinstance(value, int) and abs(value) > LARGEST:
        yield f"key `{where}` is a number of more than 18 digits. Write a smaller one."


def _taken_for(value: object) -> str:
    """Say for what YAML took something that is not text."""
    if isinstance(value, bool):
        return "true or false for YAML, as are yes, no, on and off in any case"
    if isinstance(value, (int, float)):
        return "a number for YAML"
    return "a date for YAML" if isinstance(value, date) else "nothing (null) for YAML"


def _unknown_key(where: str, key: str, known: list[str]) -> str:
    if now := RENAMED.get(_join(where, key)):
        return f"key `{_join(where, key)}` is now called `{now}`. Write its value there."
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"Did you mean `{_join(where, near[0])}`?" if near else f"Known: {', '.join(known)}."
    return f"key `{_join(where, key)}` is not known. {hint}"


def _bad_value(where: str, error: Any) -> str:
    expected = error.message
    rule = error.schema if isinstance(error.schema, dict) else {}
    wanted = _expectation(rule)
    if wanted:
        expected = f"it should be {wanted}"
    described = rule.get("description", "")
    hint = ""
    number = error.instance if isinstance(error.instance, str) else ""
    if _NUMBER_AS_TEXT.fullmatch(number) and "integer" in rule.get("type", []):
        hint = " YAML takes this for text: write whole numbers without an exponent, as in 50."
    elif _NUMBER_AS_TEXT.fullmatch(number):
        hint = (
            " YAML takes this for text: write such numbers with a decimal point and a sign in the "
            "exponent, as in 5.0e-4 or 5.0e+4."
        )
    elif _reads_as(number, rule.get("type", [])):
        hint = IN_QUOTES
    if "string" in rule.get("type", []) and isinstance(error.instance, (int, float, date)):
        hint = f" {error.instance!r} is {_taken_for(error.instance)}. {QUOTE}"
    value = "empty" if error.instance is None else _short(error.instance)
    return f"key `{where or '(top level)'}` is {value}, but {expected}. {described}{hint}".strip()


def _reads_as(text: str, kinds: str | list[str]) -> bool:
    """Say whether a text would be right if it were not text, but what it reads as."""
    if text in ("true", "false"):
        return "boolean" in kinds
    return bool(_PLAIN_NUMBER.fullmatch(text)) and ("integer" in kinds or "number" in kinds)


def _short(value: object, most: int = 100) -> str:
    """Show a value, the middle of a long one left out."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most // 2]}...{text[-most // 2 :]}"


def _expectation(rule: dict[str, Any]) -> str:
    """Say in words what a rule of the schema asks for."""
    if "enum" in rule:
        return "one of " + ", ".join(_as_yaml(v) for v in rule["enum"])
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    names = {
        "integer": "a whole number",
        "number": "a number",
        "string": "text",
        "boolean": "true or false",
        "array": "a list",
        "object": "a section of keys",
        "null": "empty (null)",
    }
    words = " or ".join(names[k] for k in kinds)
    limits = [
        text.format(rule[key])
        for key, text in (
            ("minimum", "at least {}"),
            ("exclusiveMinimum", "more than {}"),
            ("maximum", "at most {}"),
            ("exclusiveMaximum", "less than {}"),
            ("minItems", "with at least {} entries"),
            ("maxItems", "with at most {} entries"),
            ("maxLength", "of at most {} letters"),
            ("pattern", "that matches {}"),
        )
        if key in rule
    ]
    return ", ".join([words, *limits]) if words else ""


def _as_yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def leaves(
    config: dict[str, Any], schema: dict[str, Any], section: str = ""
) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield dotted key, rule and value of all that is not a section."""
    for key, rule in schema.get("properties", {}).items():
        where, value = _join(section, key), config.get(key)
        if isinstance(value, dict) and "properties" in rule:
            yield from leaves(value, rule, where)
        elif key in config:
            yield where, rule, value


def _with_defaults(config: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    complete = {}
    for key, rule in schema.get("properties", {}).items():
        if key in config:
            value = config[key]
        elif "default" in rule:
            value = copy.deepcopy(rule["default"])
        else:
            continue
        is_section = isinstance(value, dict) and "properties" in rule
        complete[key] = _with_defaults(value, rule) if is_section else value
    complete.update({k: v for k, v in config.items() if k not in complete})
    return complete


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
