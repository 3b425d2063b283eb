"""The config: one YAML is one data set, checked against one schema before anything runs."""

from __future__ import annotations

import copy
import difflib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.validators import extend

from cisgrammar.common.errors import Problems

_NUMBER_AS_TEXT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
_IN_ORDER = (
    ("simulation.min_occurrence", "simulation.max_occurrence"),
    ("simulation.min_activity", "simulation.max_activity"),
    ("simulation.multiome.min_occurrence", "simulation.multiome.max_occurrence"),
    ("simulation.multiome.min_activity", "simulation.multiome.max_activity"),
    ("gene_sets.min_size", "gene_sets.max_size"),
)


def _is_number(_: TypeChecker, value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(_: TypeChecker, value: object) -> bool:
    # JSON Schema takes 3.0 for an integer, Python's range() does not
    return isinstance(value, int) and not isinstance(value, bool)


_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_integer}
    ),
)


def read_schema(path: str | Path) -> dict[str, Any]:
    """Read a JSON schema written as YAML."""
    return yaml.safe_load(Path(path).read_text())


def complete_config(
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
        With every unknown key (and the nearest known one), missing key and bad value;
        or, where there are none, with all values that contradict each other.
    """
    _raise_all(source, _problems(config, schema))
    complete = _with_defaults(config, schema)
    _raise_all(source, _contradictions(complete, schema))
    return complete


def _raise_all(source: str, messages: Iterator[str]) -> None:
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


def _unknown_key(where: str, key: str, known: list[str]) -> str:
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
    if isinstance(error.instance, str) and _NUMBER_AS_TEXT.fullmatch(error.instance):
        hint = (
            " YAML takes this for text: write such numbers with a decimal point and a sign in the "
            "exponent, as in 5.0e-4 or 5.0e+4."
        )
    value = "empty" if error.instance is None else repr(error.instance)
    return f"key `{where or '(top level)'}` is {value}, but {expected}. {described}{hint}".strip()


def _expectation(rule: dict[str, Any]) -> str:
    """Say in words what a rule of the schema asks for."""
    if "enum" in rule:
        return "one of " + ", ".join(str(v) for v in rule["enum"])
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
            ("pattern", "that matches {}"),
        )
        if key in rule
    ]
    return ", ".join([words, *limits]) if words else ""


def _contradictions(config: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Say which values of a complete config do not go together."""
    for where, rule, value in _leaves(config, schema):
        is_range = rule.get("minItems") == rule.get("maxItems") == 2
        if is_range and value[0] > value[1]:
            yield f"key `{where}` is {value}, but the lowest comes first. {rule['description']}"
    values = {where: value for where, _, value in _leaves(config, schema)}
    for low, high in _IN_ORDER:
        if low in values and values[low] > values[high]:
            limit = f"`{high}` ({values[high]})"
            yield f"key `{low}` is {values[low]}, but it should be at most {limit}."
    yield from _two_sources(config)
    one, named = values.get("folds.n_folds") == 1, bool(values.get("folds.test_chromosomes"))
    if one != named:
        yield (
            f"key `folds.n_folds` is {values['folds.n_folds']}, but one fold and "
            "`folds.test_chromosomes` go together: set both, or neither."
        )
    if values.get("folds.validation_chromosomes") and not named:
        yield "key `folds.validation_chromosomes` needs `folds.test_chromosomes`."
    yield from _simulation(config, schema)
    yield from _peaks(config)
    yield from _scbasset(config)
    if values.get("cells.clusters") is not None and values.get("counts.cell_type"):
        yield (
            "keys `cells.clusters` and `counts.cell_type` are set, but cells have types by one of "
            "them. Take out the other."
        )
    window = values.get("regions.upstream", 0) + values.get("regions.downstream", 0)
    keys = "`regions.upstream` + `regions.downstream`"
    if config.get("peaks"):
        window, keys = config["peaks"]["length"], "`peaks.length`"
    uses_filters = "scover" in config.get("families", [])
    if uses_filters and not values.get("regions.bed") and window < values.get("scover.width", 0):
        yield (
            f"key `scover.width` is {values['scover.width']}, but windows are {window} bases long "
            f"({keys}). Make the filters narrower or the windows longer."
        )


def _peaks(config: dict[str, Any]) -> Iterator[str]:
    """Say what does not go with peaks, or with their absence."""
    peaks, counts = config.get("peaks"), config.get("counts", {})
    if peaks is None:
        if counts.get("modality") == "atac":
            yield (
                "key `counts.modality` is atac, so the counts are of peaks: say what to do with "
                "them in a section `peaks` (`peaks: {}` takes all defaults)."
            )
        return
    if config.get("given") is not None:
        yield "keys `peaks` and `given` are set, but `given` has no peaks. Take out one."
    if (config.get("simulation") or {"multiome": {}})["multiome"] is None:
        yield (
            "keys `peaks` and `simulation` are set, but the cells that are simulated have no "
            "peaks. Take out `peaks`, or ask for peaks by `simulation.multiome: {}`."
        )
    if config.get("regions", {}).get("bed"):
        yield "keys `peaks` and `regions.bed` are set; where peaks are is said by `peaks.bed`."
    files, own = counts.get("path"), peaks["path"]
    if counts.get("modality") == "atac":
        if own is not None:
            yield (
                "key `peaks.path` is set, but `counts.modality` is atac, so `counts.path` holds "
                "the peaks already. Leave out `counts.modality` if `counts.path` holds RNA."
            )
    elif own is not None and list(_names(own)) != list(_names(files)):
        yield (
            f"key `peaks.path` names the batches {', '.join(_names(own)) or 'none'}, but "
            f"`counts.path` {', '.join(_names(files)) or 'none'}. Both need the same, in one order."
        )


def _simulation(config: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Say which keys of the simulation do not hold for a multiome."""
    simulation = config.get("simulation")
    if simulation is None or simulation["multiome"] is None:
        return
    for key, rule in schema["properties"]["simulation"]["properties"].items():
        if key != "multiome" and simulation[key] != rule["default"]:
            there = key in simulation["multiome"]
            remedy = f"Set `simulation.multiome.{key}`." if there else "Take it out."
            yield (
                f"key `simulation.{key}` is set, but it is not about a multiome, which has keys "
                f"of its own. {remedy}"
            )


def _scbasset(config: dict[str, Any]) -> Iterator[str]:
    """Say what scBasset lacks."""
    if "scbasset" not in config.get("families", []):
        return
    if config.get("peaks") is None:
        yield (
            "key `families` names scbasset, which learns the peaks of cells: say what to do with "
            "them in a section `peaks` (`peaks: {}` takes all defaults)."
        )
    folds, n_folds = config["scbasset"]["folds"], config["folds"]["n_folds"]
    if folds > n_folds:
        yield (
            f"key `scbasset.folds` is {folds}, but there are only {n_folds} folds "
            "(`folds.n_folds`)."
        )


def _names(files: Any) -> list[str]:
    return list(files) if isinstance(files, dict) else []


def _two_sources(config: dict[str, Any]) -> Iterator[str]:
    """Say where data would come from two places."""
    sources = {
        "simulation": config.get("simulation") is not None,
        "given": config.get("given") is not None,
        "counts.path": bool(config.get("counts", {}).get("path")),
    }
    used = [f"`{key}`" for key, is_set in sources.items() if is_set]
    if sources["given"] and len(used) > 1:
        yield (
            f"keys {' and '.join(used)} are set, but data come from one of them. Take out the rest."
        )


def _leaves(
    config: dict[str, Any], schema: dict[str, Any], section: str = ""
) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield dotted key, rule and value of all that is not a section."""
    for key, rule in schema.get("properties", {}).items():
        where, value = _join(section, key), config.get(key)
        if isinstance(value, dict) and "properties" in rule:
            yield from _leaves(value, rule, where)
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
