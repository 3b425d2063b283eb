"""What variants do to predictions: reference against alternative allele, in every window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from pyfaidx import Fasta

from cisgrammar.common.errors import InputError
from cisgrammar.genome.sequence import reverse_complement
from cisgrammar.use.trained import Trained
from cisgrammar.use.variant_chance import matched_random, p_values
from cisgrammar.use.variant_places import place_variants
from cisgrammar.use.variant_windows import Surroundings, margin_of, pair

AT_ONCE = 2048  # places whose sequences are held


def variant_effects(
    trained: Trained,
    variants: pd.DataFrame,
    *,
    by: str | None = None,
    all_folds: bool = False,
    genome: Fasta | None = None,
    both_strands: bool = True,
    shifts: Sequence[int] = (0,),
    n_random: int = 0,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predict what variants change.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    variants
        variant, chrom, start (0-based), ref, alt: from
        :func:`cisgrammar.genome.variants.read_variants`.
    by
        A column of the targets, over whose labels predictions are averaged.
    all_folds
        Ask the models of all folds, also those that trained on the window. Otherwise only the
        model that never saw it.
    genome
        From which deletions and shifts draw bases; without it deletions draw N.
    both_strands
        Average over both strands, where windows have none: those of peaks. Windows of genes are
        read along their gene.
    shifts
        How far windows are moved along the chromosome, in bases; effects are averaged over these
        and 0, without the moved windows that do not hold the variant.
    n_random
        Matched random variants by which effects are judged, of each kind of variant; 0 for none.
    seed
        Of these.

    Returns
    -------
    effects
        A row for each variant, window that holds it and label: variant, chrom, position
        (1-based), ref, alt, sequence (and gene_name where the data have it), offset (bases from
        the window's first, along its strand), fold (empty with several), label, reference (the
        prediction), effect (alternative minus reference), spread (standard deviation of the
        effect over folds and the members of each, NaN of one). With ``n_random`` p (share of
        matched random variants with at least the same effect in size) and q (Benjamini and
        Hochberg, over all rows of a label).
    skipped
        variant, chrom, start, ref, alt, reason.

    Raises
    ------
    InputError
        If no variant is on a chromosome of the data, more than half of the variants in windows
        have another reference allele than the genome, ``genome`` lacks a chromosome of the data
        or is not given although windows are moved.

    Notes
    -----
    Windows keep their length: what is inserted or deleted between the window's start and its
    anchor moves that end, else the other one (:func:`cisgrammar.genome.alleles.alter`). The
    anchor is the TSS where the data have it (``TSS``), else the middle. Alleles that are swapped
    give the opposite effect to the last digit, because both are predicted in one batch whose
    order does not tell them apart.
    """
    moves = tuple(sorted({0, *shifts}))
    if len(moves) > 1 and genome is None:
        raise InputError(
            "shifts: windows are to be moved, but there is no genome to read their new ends from. "
            "Give the FASTA of the config, or leave out shifts."
        )
    places, skipped = place_variants(trained, variants, all_folds)
    asker = Asker(trained, by, all_folds, both_strands and not trained.stranded, moves, genome)
    reference, effect, spread = asker.ask(places)
    table = _table(trained, places, asker.names, all_folds).assign(
        reference=reference.ravel(), effect=effect.ravel(), spread=spread.ravel()
    )
    if n_random:
        random = matched_random(asker, places, n_random, seed)
        p, q = p_values(effect, random)
        table = table.assign(p=p.ravel(), q=q.ravel())
    return table, skipped


class Asker:
    """Asks the models of one's folds about places of variants, in a way that is chosen once.

    Parameters
    ----------
    trained, by, all_folds, genome
        As for :func:`variant_effects`.
    both_strands
        Whether the other strand is read too.
    shifts
        How far windows are moved; 0 is among them.
    """

    def __init__(
        self,
        trained: Trained,
        by: str | None,
        all_folds: bool,
        both_strands: bool,
        shifts: tuple[int, ...],
        genome: Fasta | None,
    ) -> None:
        self.trained, self.labels, self.all_folds = trained, trained.labels(by), all_folds
        self.both_strands, self.shifts = both_strands, shifts
        self.surroundings = Surroundings(trained, genome)
        self.names = pd.unique(self.labels)

    def ask(
        self, places: pd.DataFrame, prepare: Callable[..., np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Predict what the alleles change.

        Parameters
        ----------
        places
            From :func:`cisgrammar.use.variant_places.place_variants`.
        prepare
            Makes other sequences of places and windows; see
            :func:`cisgrammar.use.variant_chance.matched_random`.

        Returns
        -------
        reference, effect and spread, float32 ``(places, labels)``.
        """
        shape = (len(places), len(self.names))
        reference, effect = np.empty(shape, np.float32), np.empty(shape, np.float32)
        spread = np.full(shape, np.nan, np.float32)
        fold_of = self.trained.test_fold[places["row"].to_numpy(np.int64)]
        folds = list(self.trained.models)
        groups = [(folds, np.arange(len(places)))] if self.all_folds else [
            ([fold], np.flatnonzero(fold_of == fold)) for fold in folds
        ]  # fmt: skip
        for asked, its in groups:
            for first in range(0, len(its), AT_ONCE):
                part = its[first : first + AT_ONCE]
                some = places.iloc[part]
                margin = margin_of(some, self.shifts)
                context = self.surroundings.read(some["row"].to_numpy(np.int64), margin)
                if prepare is not None:
                    context = prepare(some, context, margin)
                before, change, weights = self._by_members(asked, some, context, margin)
                reference[part], effect[part] = before.sum(axis=0), change.sum(axis=0)
                if len(change) > 1:
                    own = np.divide(change, weights, out=np.zeros_like(change), where=weights > 0)
                    squares = weights * (own - effect[part]) ** 2
                    several = (weights > 0).sum(axis=0) > 1
                    spread[part] = np.where(several, np.sqrt(squares.sum(axis=0)), np.nan)
        return reference, effect, spread

    def _by_members(
        self, folds: Sequence[int], places: pd.DataFrame, context: np.ndarray, margin: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Say what the members of all folds add to predictions, and to changes.

        Returns
        -------
        Two of ``(members, places, labels)``, and the members' weights, ``(members, 1, labels)``.
        """
        rows = places["row"].to_numpy(np.int64)
        times = np.zeros((len(places), 1))
        sums: np.ndarray | None = None  # (2, members, places, labels)
        for shift in self.shifts:
            was, becomes, holds = pair(self.trained, places, context, margin, shift)
            if not holds.any():
                continue
            times[holds] += 1 + self.both_strands
            for turned in (False, True)[: 1 + self.both_strands]:
                both = np.concatenate([was[holds], becomes[holds]])
                both = reverse_complement(both) if turned else both
                found, weights = self._predicted(folds, both, np.tile(rows[holds], 2))
                found = np.stack(np.split(found, 2, axis=1))
                if sums is None:
                    sums = np.zeros((2, found.shape[1], len(places), found.shape[3]))
                sums[:, :, holds] += found
        assert sums is not None
        before, after = sums / times
        return before, after - before, weights

    def _predicted(
        self, folds: Sequence[int], codes: np.ndarray, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predict each different sequence once, in an order that its place does not change."""
        keyed = np.concatenate([codes, rows[:, None].view(np.uint8)], axis=1)
        keys = np.ascontiguousarray(keyed).view(f"V{keyed.shape[1]}").ravel()
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        each, weights = zip(
            *(
                self.trained.predicted_by_members(fold, codes[first], self.labels, rows[first])
                for fold in folds
            ),
            strict=True,
        )
        return (
            np.concatenate(each)[:, inverse] / len(folds),
            np.concatenate(weights) / len(folds),
        )


def _table(
    trained: Trained, places: pd.DataFrame, names: np.ndarray, all_folds: bool
) -> pd.DataFrame:
    """Lay out a row for each variant, window and label, without the effects."""
    rows = places["row"].to_numpy(np.int64)
    var, windows = trained.dataset.var.iloc[rows], trained.windows.iloc[rows]
    starts = places["start"].to_numpy()
    at = starts - windows["start"].to_numpy()
    behind = windows["end"].to_numpy() - starts - places["ref"].str.len().to_numpy()
    minus = windows["strand"].to_numpy() == "-"
    about = {
        "variant": places["variant"],
        "chrom": places["chrom"],
        "position": places["start"] + 1,
        "ref": places["ref"],
        "alt": places["alt"],
        "sequence": var.index.to_numpy(),
        **({"gene_name": var["gene_name"].to_numpy()} if "gene_name" in var else {}),
        "offset": np.where(minus, behind, at),
        "fold": "" if all_folds else trained.test_fold[rows].astype(str),
    }
    table = pd.DataFrame(about).loc[np.repeat(np.arange(len(places)), len(names))]
    return table.assign(label=np.tile(names, len(places))).reset_index(drop=True)
