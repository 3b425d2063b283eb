"""Nearby variants of a haplotype as one: what they change together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.genome.haplotypes import Allele, read_haplotypes
from cisgrammar.genome.sequence import decode
from cisgrammar.genome.variants import VARIANT_COLUMNS
from cisgrammar.use.trained import Trained
from cisgrammar.use.variant_places import place_variants, plus_strand

JOINT = "+"  # between the names of variants that are together
logger = logging.getLogger(__name__)


def with_haplotypes(
    trained: Trained, variants: pd.DataFrame, path: str | Path, key: str = "variants"
) -> pd.DataFrame:
    """Add those of one haplotype and window as one variant to the variants of a file.

    Parameters
    ----------
    trained, variants
        As for :func:`joined_variants`.
    path, key
        The file, and the config's key that names it:
        :func:`cisgrammar.genome.haplotypes.read_haplotypes`.

    Raises
    ------
    InputError
        If the file says nothing of haplotypes.
    """
    together = joined_variants(trained, variants, read_haplotypes(path, key))
    return pd.concat([variants, together], ignore_index=True)


def joined_variants(
    trained: Trained, variants: pd.DataFrame, haplotypes: Sequence[tuple[Allele, ...]]
) -> pd.DataFrame:
    """Write the variants of a haplotype that one window holds as one variant.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    variants
        variant, chrom, start (0-based), ref, alt.
    haplotypes
        Alleles of each: :func:`cisgrammar.genome.haplotypes.read_haplotypes`.

    Returns
    -------
    variant (the names, ``+`` between them), chrom, start, ref, alt: from the first base that
    differs to the last, with the genome's bases between them in both alleles. For each
    haplotype and window that holds two or more of its variants, all of those; each set of
    variants once. Where two of them change the same bases, or insert at one place, the first
    along the chromosome is taken.

    Notes
    -----
    They are variants as any other, so that the rules of these hold: the window's length stays,
    every window that holds all of it is asked, and alleles that are swapped give the opposite.
    """
    places, _ = place_variants(trained, variants, all_folds=True)
    keys = zip(places["chrom"], places["start"], places["ref"], places["alt"], strict=True)
    its_rows: dict[tuple, list[int]] = {}
    for i, key in enumerate(keys):
        its_rows.setdefault(key, []).append(i)
    found = {}
    for haplotype in haplotypes:
        of_window: dict[int, set[int]] = {}
        for allele in haplotype:
            for i in its_rows.get(allele, ()):
                of_window.setdefault(int(places["row"].iloc[i]), set()).add(i)
        for row, members in of_window.items():
            if (joined := _joined(trained, places.iloc[sorted(members)], row)) is not None:
                found[joined[1:]] = joined
    logger.info("%d sets of variants on one haplotype and in one window", len(found))
    return pd.DataFrame(list(found.values()), columns=VARIANT_COLUMNS)


def _joined(trained: Trained, places: pd.DataFrame, row: int) -> tuple | None:
    """Join the variants of one window; None where fewer than two are left."""
    window = trained.windows.iloc[row]
    codes = np.asarray(trained.dataset.varm["codes"][row])
    letters = decode(plus_strand(codes, window["strand"]))
    names: list[str] = []
    alt, first, end = "", 0, -1
    for its in places.sort_values(["at", "was"], kind="stable").itertuples():
        if its.at < end or (its.at == end and not its.was):  # changes what another one does
            continue
        if not names:
            first = end = its.at
        names.append(str(its.variant))
        alt += letters[end : its.at] + its.becomes
        end = its.at + len(its.was)
    if len(names) < 2:
        return None
    ref = letters[first:end]
    if not (ref and alt) and first:  # as a VCF writes it
        first, ref, alt = first - 1, letters[first - 1] + ref, letters[first - 1] + alt
    return JOINT.join(names), places["chrom"].iloc[0], int(window["start"]) + first, ref, alt
