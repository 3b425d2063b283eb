"""The motifs that are planted: profiles of JASPAR, and the genes of their TFs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cisgrammar.common.errors import InputError
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import Motif

PSEUDOCOUNT = 0.01  # share of each position, spread over the four bases


def choose_motifs(
    activators: Sequence[str], repressors: Sequence[str], release: str
) -> tuple[list[Motif], list[list[str]], list[str]]:
    """Fetch profiles of JASPAR CORE vertebrates.

    Returns
    -------
    motifs
        Activators, then repressors, named by TF with the matrix id as second name,
        with a small pseudocount.
    tfs
        The TF genes of each: a heterodimer such as FOS::JUN has two.
    others
        All other TF genes of the collection, sorted.

    Raises
    ------
    InputError
        If one is not there or the release is unknown.
    """
    database = load_database(f"jaspar:CORE:vertebrates:{release.removeprefix('JASPAR')}")
    found = {}
    for profile in reversed(database.motifs):  # so that the first of a name remains
        found[profile.name] = found[profile.alt.upper()] = profile
    wanted = [*activators, *repressors]
    absent = [name for name in wanted if name.upper() not in found]
    if absent:
        raise InputError(
            f"simulation: {', '.join(absent)}: not among the {len(database.motifs)} profiles of "
            f"{database.source}. Look the name or matrix id up on jaspar.elixir.no and mend "
            "`simulation.activators` or `simulation.repressors`."
        )
    motifs = []
    for name in wanted:
        profile = found[name.upper()]
        matrix = (1 - PSEUDOCOUNT) * profile.matrix + PSEUDOCOUNT / 4
        motifs.append(Motif(profile.alt.upper(), matrix, profile.n_sites, alt=profile.name))
    tfs = [motif.name.split("::") for motif in motifs]
    planted = {tf for pair in tfs for tf in pair}
    everyone = {tf for profile in database.motifs for tf in profile.alt.upper().split("::")}
    return motifs, tfs, sorted(everyone - planted)


def name_genes(
    n_genes: int,
    tfs: Sequence[Sequence[str]],
    others: Sequence[str],
    n_others: int,
    rng: np.random.Generator,
) -> tuple[list[str], dict[int, int]]:
    """Name genes: planted TFs, some other TFs, and the rest ``Gene1`` onwards.

    Returns
    -------
    names
        One a gene.
    tf_motifs
        Row of a planted TF's gene to the row of its motif.
    """
    names = [f"Gene{i}" for i in range(1, n_genes + 1)]
    rows = iter(rng.permutation(n_genes).tolist())
    tf_motifs = {}
    for motif, pair in enumerate(tfs):
        for tf in pair:
            row = next(rows)
            names[row], tf_motifs[row] = tf, motif
    for tf, row in zip(rng.permutation(others)[:n_others], rows, strict=False):
        names[row] = str(tf)
    return names, tf_motifs
