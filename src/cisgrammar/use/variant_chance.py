"""Whether an effect is larger than that of a variant of the same kind in shuffled sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.statistics import benjamini_hochberg
from cisgrammar.genome.alleles import reverse_complement_letters
from cisgrammar.genome.sequence import encode
from cisgrammar.genome.shuffling import shuffle_dinucleotides

if TYPE_CHECKING:
    from cisgrammar.use.variant_effects import Asker


def kind_of(was: str, becomes: str, strand: str) -> str:
    """Name the kind of a variant, within which effects are compared.

    Parameters
    ----------
    was, becomes
        The bases that differ.
    strand
        Along which the window is read.

    Returns
    -------
    Of a substitution the two bases along the strand, in either direction; of other variants how
    many bases are replaced, and come or go, to the next power of two.

    Examples
    --------
    >>> kind_of("A", "C", "+"), kind_of("G", "T", "-"), kind_of("", "GATTA", "+")
    ('A/C', 'A/C', '0 replaced, 8 more or fewer')
    """
    if len(was) == len(becomes) == 1:
        bases = was + becomes
        return "/".join(sorted(reverse_complement_letters(bases) if strand == "-" else bases))
    replaced, longer = min(len(was), len(becomes)), abs(len(was) - len(becomes))
    return f"{_power(replaced)} replaced, {_power(longer)} more or fewer"


def _power(number: int) -> int:
    return 1 << (number - 1).bit_length() if number else 0


def matched_random(
    asker: Asker, places: pd.DataFrame, n_random: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Predict what random variants change, matched to those of each kind.

    Each is a place of one of the kind's variants, drawn at random: the window is shuffled,
    keeping its pairs of neighbours, and the same change is made at the same position. Where
    bases come or go, these are shuffled too, so that they bring and take no motif.

    Parameters
    ----------
    asker
        By which the variants themselves are asked about.
    places
        From :func:`cisgrammar.use.variant_places.place_variants`.
    n_random
        Of each kind.
    seed
        Of draws and shuffles.

    Returns
    -------
    For each kind the numbers of its places, and the sizes of effects, sorted:
    ``(n_random, labels)``.
    """
    strands = asker.trained.windows["strand"].to_numpy()[places["row"].to_numpy(np.int64)]
    kinds = pd.Series(
        [kind_of(*its) for its in zip(places["was"], places["becomes"], strands, strict=True)],
        dtype=object,
    )
    found = []
    for kind, numbers in kinds.groupby(kinds, sort=True).groups.items():
        own = derive_seed(seed, "random variants", kind)
        rng = np.random.default_rng(own)
        drawn = places.iloc[rng.choice(numbers.to_numpy(), n_random)].reset_index(drop=True)
        longer = drawn["was"].str.len() != drawn["becomes"].str.len()
        for column in ("was", "becomes"):
            drawn[column] = [
                "".join(rng.permutation(list(letters))) if shuffled else letters
                for letters, shuffled in zip(drawn[column], longer, strict=True)
            ]

        def shuffle(some: pd.DataFrame, context: np.ndarray, margin: int, own=own) -> np.ndarray:
            shuffled = shuffle_dinucleotides(context, derive_seed(own, int(some.index[0])))
            for i, (at, was) in enumerate(zip(some["at"], some["was"], strict=True)):
                shuffled[i, margin + at : margin + at + len(was)] = encode(was)
            return shuffled

        _, effect, _ = asker.ask(drawn, shuffle)
        found.append((numbers.to_numpy(), np.sort(np.abs(effect), axis=0)))
    return found


def p_values(
    effect: np.ndarray, random: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Judge effects by those of random variants.

    Parameters
    ----------
    effect
        ``(places, labels)``.
    random
        From :func:`matched_random`.

    Returns
    -------
    p, the share of random variants with at least the same effect in size, the variant itself
    counted among them, and q of Benjamini and Hochberg over all places of a label. Both
    ``(places, labels)``.
    """
    p = np.ones(effect.shape)
    for numbers, sizes in random:
        for label in range(effect.shape[1]):
            below = np.searchsorted(sizes[:, label], np.abs(effect[numbers, label]), side="left")
            p[numbers, label] = (1 + len(sizes) - below) / (1 + len(sizes))
    q = np.stack([benjamini_hochberg(column) for column in p.T], axis=1) if p.size else p
    return p, q
