"""Databases of known motifs, with the transcription factors that bind them."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pyjaspar import jaspardb

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, nearest, open_text
from cisgrammar.motifs.meme import Motif, read_meme

SEPARATOR = ";"  # between several names in one cell of a table
JASPAR_GROUPS = ("vertebrates", "fungi", "plants", "insects", "nematodes", "urochordates")
_NO_NAME = {"", "NA", "N/A", "NONE", "UNKNOWN", "-"}
_HOCOMOCO = re.compile(r"^([^_.]+)(?:_[A-Z]+)?\.H\d+")
_VARIANT = re.compile(r"\((?:var|dimer)[^)]*\)", re.IGNORECASE)  # JASPAR's `NAME(var.2)`
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Database:
    """Known motifs and what is known of them.

    Parameters
    ----------
    source
        What it was loaded from.
    motifs
        In the order of the table.
    table
        One row a motif: ``motif`` (its id), ``name``, ``tfs`` (gene names, several
        separated by ``;``, empty if unknown), ``tf_class``, ``tf_family``.
    """

    source: str
    motifs: list[Motif]
    table: pd.DataFrame


def load_database(source: str, tf_names: str | Path | None = None) -> Database:
    """Load known motifs.

    Parameters
    ----------
    source
        ``jaspar:COLLECTION:group:year``, such as ``jaspar:CORE:vertebrates:2024``
        (no download: the profiles come with pyjaspar), or the path of a MEME file.
    tf_names
        A table without header, tab-separated: motif id, gene name of its
        transcription factor (``NA`` if unknown). Replaces the names of a MEME file.

    Returns
    -------
    The motifs in the file's order, JASPAR's by id.

    Raises
    ------
    InputError
        If the source is none of these, or no motif has a transcription factor.
    """
    source = str(source)
    if source.lower().startswith("jaspar:"):
        database = _load_jaspar(source)
    else:
        database = _load_meme(source, tf_names)
    named = int((database.table["tfs"] != "").sum())
    logger.info("%s: %d motifs, %d with a TF name", source, len(database.motifs), named)
    if not named:
        raise InputError(
            f"{source}: none of its {len(database.motifs)} motifs has the name of a transcription "
            f"factor (the first is called {database.motifs[0].name!r}). Names are read from the "
            "second word of each `MOTIF` line; if they are in a table of their own, give it as "
            "`database.tf_names` (motif id, tab, gene name)."
        )
    return database


def _load_jaspar(source: str) -> Database:
    words = source.split(":")
    if len(words) != 4:
        raise InputError(
            f"{source!r} is not a JASPAR database: write jaspar:COLLECTION:group:year, "
            "such as jaspar:CORE:vertebrates:2024."
        )
    collection, group, release = words[1].upper(), words[2].lower(), f"JASPAR{words[3]}"
    releases = jaspardb().get_releases()
    if release not in releases:
        years = ", ".join(sorted(name.removeprefix("JASPAR") for name in releases))
        raise InputError(
            f"{source!r}: there is no JASPAR release {words[3]} here. Take one of {years}, or a "
            "newer pyjaspar."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zero motifs: said below
        profiles = jaspardb(release=release).fetch_motifs(collection=collection, tax_group=[group])
    if not profiles:
        raise InputError(
            f"{source!r}: JASPAR {words[3]} has no profiles of collection {collection} for "
            f"{group!r}. The groups of CORE are {', '.join(JASPAR_GROUPS)}."
        )
    motifs, rows = [], []
    for profile in sorted(profiles, key=lambda profile: profile.matrix_id):
        counts = np.array([profile.counts[base] for base in "ACGT"], dtype=float)
        matrix = counts / counts.sum(axis=0)
        motifs.append(Motif(profile.matrix_id, matrix, round(counts.sum(axis=0)[0]), profile.name))
        rows.append(
            {
                "motif": profile.matrix_id,
                "name": profile.name,
                "tfs": SEPARATOR.join(tf_names_in(profile.name)),
                "tf_class": _joined(profile.tf_class),
                "tf_family": _joined(profile.tf_family),
            }
        )
    return Database(source, motifs, pd.DataFrame(rows))


def _joined(words: list[str] | None) -> str:
    return SEPARATOR.join(dict.fromkeys(word.strip() for word in words or [] if word.strip()))


def _load_meme(path: str, tf_names: str | Path | None) -> Database:
    motifs = read_meme(path)
    names = [motif.alt or motif.name for motif in motifs]
    tfs = [SEPARATOR.join(_tfs_of_meme(motif)) for motif in motifs]
    if tf_names is not None:
        given = _read_tf_names(tf_names, motifs)
        tfs = [given.get(motif.name, tf) for motif, tf in zip(motifs, tfs, strict=True)]
    table = pd.DataFrame({"motif": [motif.name for motif in motifs], "name": names, "tfs": tfs})
    return Database(path, motifs, table.assign(tf_class="", tf_family=""))


def _tfs_of_meme(motif: Motif) -> list[str]:
    if motif.alt:
        return tf_names_in(motif.alt.removeprefix(f"{motif.name}."))
    hocomoco = _HOCOMOCO.match(motif.name)
    return tf_names_in(hocomoco[1]) if hocomoco else []


def tf_names_in(name: str) -> list[str]:
    """Find gene names in a motif's name.

    Parameters
    ----------
    name
        As databases write it.

    Returns
    -------
    One name, two or more of a dimer, none if unknown.

    Examples
    --------
    >>> tf_names_in("FOS::JUN(var.2)"), tf_names_in("(Nr1h4)_(Homo_sapiens)_(DBD_1.00)")
    (['FOS', 'JUN'], ['Nr1h4'])
    """
    inferred = re.match(r"^\(([^)]+)\)_\(", name)  # CIS-BP, inferred from a relative's motif
    name = inferred[1] if inferred else _VARIANT.sub("", name)
    parts = (part.strip() for part in name.split("::"))
    return [part for part in dict.fromkeys(parts) if part.upper() not in _NO_NAME]


def _read_tf_names(path: str | Path, motifs: list[Motif]) -> dict[str, str]:
    try:
        with open_text(path, "database.tf_names") as stream:
            table = pd.read_csv(stream, sep="\t", header=None, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path}: not a tab-separated table ({error}).") from None
    if table.shape[1] < 2:
        raise InputError(
            f"{path}: it has one column; two are needed, tab-separated: motif id, gene name."
        )
    given = {
        motif: SEPARATOR.join(tf_names_in(tf)) for motif, tf in zip(table[0], table[1], strict=True)
    }
    found = sum(motif.name in given for motif in motifs)
    if not found:
        raise InputError(
            f"{path}: none of the database's {len(motifs)} motifs ({motifs[0].name}, ...) is in "
            f"its first column ({table[0][0]}, ...). Give the table that belongs to the database."
        )
    logger.info("%s: TF names for %d of %d motifs", path, found, len(motifs))
    return given


def choose_motifs(database: Database, wanted: Sequence[str]) -> Database:
    """Keep motifs by their ids, names or transcription factors, in any case.

    Parameters
    ----------
    database
        All known motifs.
    wanted
        What to keep; nothing keeps all.

    Returns
    -------
    The motifs that are kept.

    Raises
    ------
    InputError
        If a word is none of these.
    """
    if not wanted:
        return database
    asked = {word.upper() for word in wanted}
    table = database.table
    answers = [
        {name.upper() for name in (motif, name, *tfs.split(SEPARATOR)) if name}
        for motif, name, tfs in zip(table["motif"], table["name"], table["tfs"], strict=True)
    ]
    known = set().union(*answers)
    unknown = [word for word in wanted if word.upper() not in known]
    if unknown:
        raise InputError(
            f"`scbasset.tf_activity.motifs`: no motif of {database.source} has the id, name or TF "
            f"{', '.join(unknown)}. Its motifs are called {examples(table['motif'])} and "
            f"{examples(table['name'])}. Correct the names, or leave the key empty for all motifs."
            f"{nearest(unknown[0], sorted(known))}"
        )
    kept = np.array([bool(asked & names) for names in answers], dtype=bool)
    return keep_motifs(database, kept)


def keep_motifs(database: Database, kept: np.ndarray) -> Database:
    """Keep some motifs: bool ``(motifs,)``."""
    motifs = [motif for motif, keep in zip(database.motifs, kept, strict=True) if keep]
    return Database(database.source, motifs, database.table[kept].reset_index(drop=True))


def tfs_by_motif(table: pd.DataFrame) -> dict[str, list[str]]:
    """Map motif ids to gene names of transcription factors, from :attr:`Database.table`."""
    return {
        motif: [tf for tf in tfs.split(SEPARATOR) if tf]
        for motif, tfs in zip(table["motif"], table["tfs"], strict=True)
    }
