"""The sequences of windows with one allele and with the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyfaidx import Fasta

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.genome.alleles import alter
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.sequence import N, encode, letters_as_codes
from cisgrammar.use.trained import Trained
from cisgrammar.use.variant_places import plus_strand


class Surroundings:
    """Windows with the bases on either side, which shifts and deletions draw from.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    genome
        Without it the bases beyond windows are N.

    Raises
    ------
    InputError
        If the genome lacks a chromosome of the data.
    """

    def __init__(self, trained: Trained, genome: Fasta | None) -> None:
        self.trained, self.genome = trained, genome
        if genome is None:
            return
        chroms = pd.unique(trained.windows["chrom"])
        self.names = match_chromosomes(chroms, genome.keys())
        if absent := [chrom for chrom in chroms if chrom not in self.names]:
            raise InputError(
                f"genome: {len(absent):,} of {len(chroms):,} chromosomes of the data are not in it "
                f"({examples(absent)}; there are {examples(genome.keys())}). Give the FASTA of the "
                "config."
            )

    def read(self, rows: np.ndarray, margin: int) -> np.ndarray:
        """Read windows with so many bases on either side, along the plus strand.

        Returns
        -------
        uint8 ``(rows, margin + length + margin)``; N beyond the ends of chromosomes.
        """
        length, windows = self.trained.length, self.trained.windows.iloc[rows]
        # of each window once: the file may be read in order of its rows only
        different, inverse = np.unique(rows, return_inverse=True)
        codes = np.asarray(self.trained.dataset.varm["codes"][different])[inverse]
        context = np.full((len(rows), length + 2 * margin), N, dtype=np.uint8)
        for i, (chrom, start, end, strand) in enumerate(
            windows[["chrom", "start", "end", "strand"]].itertuples(index=False, name=None)
        ):
            context[i, margin : margin + length] = plus_strand(codes[i], strand)
            if margin and self.genome is not None:
                left = self._letters(chrom, start - margin, start)
                right = self._letters(chrom, end, end + margin)
                context[i, margin - len(left) : margin] = left
                context[i, margin + length : margin + length + len(right)] = right
        return context

    def _letters(self, chrom: str, start: int, end: int) -> np.ndarray:
        if self.genome is None or end <= 0:
            return np.empty(0, np.uint8)
        letters = str(self.genome[self.names[chrom]][max(start, 0) : end])
        return letters_as_codes(letters)


def margin_of(places: pd.DataFrame, shifts: tuple[int, ...]) -> int:
    """Give how many bases beyond windows are needed: those that deletions and shifts draw in."""
    lost = places["was"].str.len() - places["becomes"].str.len()
    return max(0, int(lost.max())) + max(map(abs, shifts)) if len(places) else 0


def pair(
    trained: Trained, places: pd.DataFrame, context: np.ndarray, margin: int, shift: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give windows with the reference and with the other allele, as the model reads them.

    Parameters
    ----------
    places
        From :func:`cisgrammar.use.variant_places.place_variants`.
    context
        From :meth:`Surroundings.read`, a row each place, with the reference alleles.
    margin
        How many bases it has on either side.
    shift
        How far windows are moved along the chromosome.

    Returns
    -------
    The two, uint8 ``(places, length)`` each, and whether the moved window holds the variant.
    """
    length, windows = trained.length, trained.windows.iloc[places["row"]]
    anchors, strands = windows["anchor"].to_numpy(np.int64), windows["strand"].to_numpy()
    at = places["at"].to_numpy(np.int64)
    gap = (places["was"] == "").to_numpy()  # an insertion lies between two bases
    widths = places["was"].str.len().to_numpy()
    holds = (at - shift >= gap) & (at + widths + gap - shift <= length)
    reference = context[:, margin + shift : margin + shift + length]
    other = reference.copy()
    for i, (was, becomes) in enumerate(zip(places["was"], places["becomes"], strict=True)):
        if not holds[i]:
            continue
        if len(was) == len(becomes):
            first = at[i] - shift
            other[i, first : first + len(was)] = encode(becomes)
        else:
            other[i] = alter(context[i], at[i], was, becomes, anchors[i], margin, shift)
    turned = (strands == "-")[:, None]
    return (
        np.where(turned, plus_strand(reference, "-"), reference),
        np.where(turned, plus_strand(other, "-"), other),
        holds,
    )
