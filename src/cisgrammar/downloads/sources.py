"""Where files from the web come from: the table of sources, and what a config refers to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import examples, nearest, open_text

PREFIX = "download:"
KEY = "downloads.sources"
COLUMNS = ("dataset", "file", "version", "url", "sha256", "size", "licence", "citation", "note")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WEB = re.compile(r"https?://\S+")
_URL = re.compile(rf"https?://\S+|{PREFIX}[^/#]+/[^/#]+#.+|(?![a-z]+://|{PREFIX}).+")


@dataclass(frozen=True)
class Source:
    """Where a file comes from: one row of the table of sources.

    Attributes
    ----------
    dataset, file
        Its names; the config refers to it as ``download:DATASET/FILE``.
    url
        http or https; or a path, which is used as it is; or ``download:DATASET/FILE#MEMBER``,
        a file within the archive (zip or tar) that another row names.
    sha256
        Checksum of the right file, empty where it is not known.
    size
        Bytes of the right file, None where that is not known.
    version, licence, citation, note
        For people.
    """

    dataset: str
    file: str
    version: str
    url: str
    sha256: str
    size: int | None
    licence: str
    citation: str
    note: str

    @property
    def name(self) -> str:
        """What the config calls it, less the prefix."""
        return f"{self.dataset}/{self.file}"

    @property
    def is_local(self) -> bool:
        """Whether it is a path in place of a URL."""
        return not (_WEB.fullmatch(self.url) or self.member)

    @property
    def archive(self) -> str:
        """The ``DATASET/FILE`` whose member it is; empty for a file of its own."""
        return self.url.removeprefix(PREFIX).partition("#")[0] if self.member else ""

    @property
    def member(self) -> str:
        """Its name within the archive; empty for a file of its own."""
        return self.url.partition("#")[2] if self.url.startswith(PREFIX) else ""

    def place(self, folder: str | Path) -> Path:
        """Say where the file is, or will be."""
        return Path(self.url) if self.is_local else Path(folder) / self.dataset / self.file


def read_sources(path: str | Path) -> dict[str, Source]:
    """Read a table of sources.

    Parameters
    ----------
    path
        TSV with the columns of :class:`Source`; sha256 and size may be empty.

    Returns
    -------
    Sources by ``DATASET/FILE``, in the order of the table.

    Raises
    ------
    InputError
        With everything that is wrong with the table.
    """
    with open_text(path, KEY) as stream:
        lines = [line.rstrip("\r\n").split("\t") for line in stream]
    lines = lines or [[""]]
    if tuple(lines[0]) != COLUMNS:
        raise InputError(
            f"{path}: the header of a table of sources is {', '.join(COLUMNS)}, separated by tabs; "
            f"here it is {examples(lines[0], 10)}. Correct the header, or `{KEY}`."
        )
    problems = Problems()
    sources: dict[str, Source] = {}
    for number, cells in enumerate(lines[1:], start=2):
        if cells == [""] or cells[0].startswith("#"):
            continue
        source = _source(f"{path}, line {number}", cells, problems)
        if source is not None and source.name in sources:
            problems.add(
                f"{path}, line {number}: {source.name} comes a second time. Remove one of them."
            )
        elif source is not None:
            sources[source.name] = source
    for source in sources.values():
        if source.member and (source.archive not in sources or sources[source.archive].member):
            problems.add(
                f"{path}: {source.name} is in {source.archive}, which is not an archive of the "
                f"table{nearest(source.archive, sources)}. Add a row for it, or correct the url."
            )
    problems.raise_if_any()
    return sources


def _source(where: str, cells: list[str], problems: Problems) -> Source | None:
    if len(cells) != len(COLUMNS):
        problems.add(
            f"{where}: there are {len(cells)} cells, not {len(COLUMNS)}. Separate all columns by "
            "tabs; empty ones too."
        )
        return None
    row = dict(zip(COLUMNS, (cell.strip() for cell in cells), strict=True))
    checks = (
        ("dataset", _NAME, "a name: letters, digits, dot, dash, plus, underscore"),
        ("file", _NAME, "a file's name without folders"),
        ("url", _URL, f"http://, https://, a path, or {PREFIX}DATASET/FILE#MEMBER"),
        ("sha256", re.compile(f"|{_SHA256.pattern}"), "64 of 0-9 and a-f, or empty"),
        ("size", re.compile(r"|[0-9]{1,15}"), "a number of bytes, or empty"),
    )
    bad = [(key, rule) for key, pattern, rule in checks if not pattern.fullmatch(row[key])]
    for key, rule in bad:
        problems.add(f"{where}: {key} is {row[key]!r}, but it should be {rule}.")
    size = int(row["size"]) if row["size"] and not bad else None
    return None if bad else Source(**{**row, "size": size})  # type: ignore[arg-type]


def find_source(name: str, sources: Mapping[str, Source]) -> Source:
    """Look up ``DATASET/FILE``.

    Raises
    ------
    InputError
        If it is not known; the message lists that data set's files, else the data sets, and what
        is nearest.
    """
    if name in sources:
        return sources[name]
    dataset = name.partition("/")[0]
    names = [each for each in sources if each.partition("/")[0] == dataset]
    names = names or list(dict.fromkeys(f"{each.partition('/')[0]}/..." for each in sources))
    raise InputError(
        f"{PREFIX}{name}: no such file is known.{nearest(name, sources)} Known: "
        f"{examples(names, 100)}. Write it as {PREFIX}DATASET/FILE, as "
        "`resources/sources.tsv` has it, or add a row to a table of your own and name that in "
        f"`{KEY}`."
    )


def resolve(
    config: dict[str, Any], sources: Mapping[str, Source], folder: str | Path, problems: Problems
) -> tuple[dict[str, Any], dict[str, Source]]:
    """Replace ``download:DATASET/FILE`` in a config by paths.

    Parameters
    ----------
    config
        Sections, lists and values.
    sources
        From :func:`read_sources`.
    folder
        Where downloads are kept.
    problems
        Gets a message for each name that is not known.

    Returns
    -------
    The config with paths, and the sources that it needs, by path.
    """
    needed: dict[str, Source] = {}

    def visit(value: Any, where: str) -> Any:
        if isinstance(value, dict):
            return {key: visit(v, f"{where}.{key}".lstrip(".")) for key, v in value.items()}
        if isinstance(value, list):
            return [visit(v, where) for v in value]
        if not (isinstance(value, str) and value.startswith(PREFIX)):
            return value
        try:
            source = find_source(value.removeprefix(PREFIX), sources)
        except InputError as error:
            problems.add(f"key `{where}`: {error}")
            return value
        path = source.place(folder).as_posix()
        needed[path] = source
        return path

    return visit(config, ""), needed
