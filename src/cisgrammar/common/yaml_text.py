"""What is wrong with a config as text, before anybody makes values of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

LARGEST_FILE = 10_000_000  # bytes
MOST_VALUES = 100_000  # with aliases written out
_PLAIN = "tag:yaml.org,2002:"
_KNOWN = {_PLAIN + kind for kind in
          ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge", "value")
          }  # fmt: skip


def problems_of_yaml(path: str | Path) -> Iterator[str]:
    """Say what in a YAML file cannot be meant, or is not to be trusted.

    Parameters
    ----------
    path
        The file. That it is not YAML at all is not said here.

    Yields
    ------
    Tags that ask for objects, aliases that swell, a key that comes twice in one section, whole
    numbers that YAML reads in another way than they are written (``010`` is 8).
    """
    if Path(path).stat().st_size > LARGEST_FILE:
        yield f"it has more than {LARGEST_FILE:,} bytes, which is not a config. Name another file."
        return
    try:
        with Path(path).open(encoding="utf-8-sig") as stream:
            root = yaml.compose(stream, Loader=yaml.SafeLoader)
    except RecursionError:
        yield "sections stand in each other too deep. A config has five levels at most."
        return
    except (yaml.YAMLError, UnicodeDecodeError, ValueError):
        return  # Snakemake says so
    if root is not None:
        try:
            sizes: dict[int, int] = {}
            _size(root, sizes)
        except RecursionError:
            yield "an alias (`*name`) stands in what it stands for. Write the values out."
            return
        if sizes[id(root)] > MOST_VALUES:
            yield (
                f"with its aliases (`*name`) written out it holds more than {MOST_VALUES:,} "
                "values. Write out the few that are meant."
            )
            return
        yield from _of_node(root, set())


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Count values with aliases written out; a node that is reached again is counted once more."""
    if id(node) not in sizes:
        sizes[id(node)] = 1 + sum(_size(child, sizes) for child in _children(node))
    return sizes[id(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _of_node(node: yaml.Node, seen: set[int]) -> Iterator[str]:
    if id(node) in seen:
        return
    seen.add(id(node))
    line = node.start_mark.line + 1
    if node.tag not in _KNOWN:
        tag = node.tag.replace(_PLAIN, "!!")
        yield f"line {line} has the tag `{tag}`, but a config holds plain values. Remove it."
    elif node.tag == f"{_PLAIN}int" and not _is_plain_integer(node.value):
        yield (
            f"line {line} has {node.value}, which YAML does not read as it is written. As a label "
            f"write it in quotes ('{node.value}'), as a number with digits alone."
        )
    if isinstance(node, yaml.MappingNode):
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, times in keys.items():
            if times > 1 and key != "<<":
                yield f"line {line}: the section there has the key `{key}` twice. Remove one."
    for child in _children(node):
        yield from _of_node(child, seen)


def _is_plain_integer(text: str) -> bool:
    digits = text.lstrip("+-")
    return digits.isdecimal() and (digits == "0" or not digits.startswith("0"))
