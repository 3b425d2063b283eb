"""The sections of the first page in their order: a new analysis adds one line here."""

from __future__ import annotations

from collections.abc import Callable

from cisgrammar.summary import (
    data,
    links,
    models,
    motifs,
    neurons,
    peaks,
    pools,
    populations,
    variants,
)
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section

# of each model of the config; a section of files that are not there is left out
OF_A_MODEL: tuple[Callable[[Files, str], Section | None], ...] = (
    pools.section,
    peaks.section,
    populations.section,
    motifs.families,
    motifs.kmers,
    motifs.activities,
    links.section,
    neurons.section,
    variants.section,
)


def sections(files: Files, chosen: list[str]) -> list[Section]:
    """Write all sections of a run.

    Parameters
    ----------
    files
        What the run made.
    chosen
        Models of the config, in its order.
    """
    found = [models.section(files, chosen)]
    found += [write(files, model) for write in OF_A_MODEL for model in chosen]
    found += [data.section(files, chosen), data.warnings(files, chosen)]
    return [section for section in found if section is not None]
