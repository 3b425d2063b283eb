"""What each base of a trained model's sequences contributes, for a label or between two."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, nearest
from cisgrammar.common.progress import progress
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.split import Inputs
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.shuffling import shuffle_dinucleotides
from cisgrammar.interpret import attributions
from cisgrammar.interpret.attributions import METHODS, REFERENCES
from cisgrammar.interpret.contributions import Attributions, actual
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.prediction import predict
from cisgrammar.use.trained import Trained

SHUFFLED = 100  # sequences that tell what chance gives
AT_ONCE = 64  # sequences between two steps of the progress bar
NO_WINDOW = "in no window"
NOT_HELD_OUT = "no fold has tested a window there"
logger = logging.getLogger(__name__)


def attribute(
    trained: Trained,
    method: str = "deeplift",
    *,
    by: str | None = None,
    label: str | None = None,
    minus: str | None = None,
    names: Sequence[str] | None = None,
    regions: pd.DataFrame | None = None,
    all_folds: bool = False,
    n_references: int = REFERENCES,
    n_shuffled: int = SHUFFLED,
    seed: int = 0,
) -> tuple[Attributions, pd.DataFrame]:
    """Say what each base contributes.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    method
        ``ism`` (every substitution, any model), ``gradient`` (corrected for the simplex) or
        ``deeplift`` (against shuffled sequences): :mod:`cisgrammar.interpret.attributions`.
    by, label, minus
        A column of the targets, the value of it whose prediction is explained, and one whose
        prediction is subtracted. Without ``by`` the two are targets, such as a population;
        without ``label`` it is the mean over all targets.
    names
        Sequences to explain: genes (ids, or names that are there once) or peaks.
    regions
        Places to explain, in every window that holds some of one: chrom, start (0-based), end,
        name, from :func:`cisgrammar.genome.regions.read_bed`.
    all_folds
        Average the models of all folds, also those that trained on the sequence. Otherwise only
        the model that never saw it, and sequences that no fold has tested are left out.
    n_references
        Of ``deeplift``: shuffles of each sequence.
    n_shuffled
        Shuffled sequences that are explained too, to tell what bases contribute by chance.
    seed
        Of all shuffles.

    Returns
    -------
    The contributions, of all sequences that a fold has tested unless ``names`` or ``regions``
    say which; and those of the names and regions that are left out: name, chrom, start, end,
    reason.

    Raises
    ------
    InputError
        If there is no such label or name, nothing is left to explain, or the model cannot be
        asked by that method.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}, not one of {METHODS}")
    if names is not None and regions is not None:
        raise InputError("attributions: give `names` or `regions`, not both.")
    if n_references < 1:
        raise InputError(
            f"attributions: `--references` is {n_references}. DeepLIFT holds a sequence against "
            "one shuffle of it or more; 20 are usual."
        )
    weights = contrast(trained, by, label, minus)
    if regions is not None:
        rows, asked, skipped = _rows_of_regions(trained, regions)
    else:
        rows = np.arange(trained.dataset.n_vars) if names is None else _rows_of(trained, names)
        asked, skipped = np.ones((len(rows), trained.length), dtype=bool), []
    unseen = trained.test_fold[rows] < 0
    if not all_folds and unseen.any():
        if regions is not None or names is not None:
            skipped += _left_out(trained, rows[unseen], NOT_HELD_OUT)
        rows, asked = rows[~unseen], asked[~unseen]
    left_out = pd.DataFrame(skipped, columns=["name", "chrom", "start", "end", "reason"])
    if not len(rows):
        raise _nothing_left(left_out)
    order = np.argsort(rows)
    codes = np.empty((len(rows), trained.length), dtype=np.uint8)
    codes[order] = trained.dataset.varm["codes"][rows[order]]  # HDF5 reads rows in their order
    question = _Question(trained, method, weights, all_folds, n_references, seed)
    seeds = [derive_seed(seed, "references", name) for name in trained.dataset.var_names[rows]]
    hypothetical, prediction, baseline = question.explain(rows, codes, asked, seeds)
    chance = question.by_chance(rows, codes, asked, n_shuffled)
    windows = trained.windows.iloc[rows][["chrom", "start", "end", "strand"]].assign(
        fold="" if all_folds else trained.test_fold[rows].astype(str), prediction=prediction
    )
    if method == "deeplift":
        windows["baseline"] = baseline
    if "gene_name" in trained.dataset.var:
        windows.insert(0, "gene_name", trained.dataset.var["gene_name"].astype(str).iloc[rows])
    found = Attributions(windows, codes, hypothetical, chance, method, label, minus)
    return found, left_out


def contrast(
    trained: Trained, by: str | None, label: str | None, minus: str | None = None
) -> np.ndarray:
    """Give each target's weight in a label's mean, or in the difference of two: ``(targets,)``.

    Raises
    ------
    InputError
        If there is no such label, or one is subtracted from itself.
    """
    labels = trained.labels(by).to_numpy(dtype=object)
    if label is None and minus is None:
        return np.full(len(labels), 1 / len(labels))
    if label is None or label == minus:
        raise InputError(
            "attributions: `minus` is subtracted from `label`, which has to be named and to be "
            "another one."
        )
    weights = np.zeros(len(labels))
    for name, sign in ((label, 1), (minus, -1)):
        if name is None:
            continue
        if not (its := labels == name).any():
            what = "targets" if by is None else f"values of `{by}`"
            known = pd.unique(labels)
            raise InputError(
                f"attributions: `{name}` is none of the {len(known):,} {what} of {trained.name}: "
                f"{examples(known, 10)}.{nearest(name, known)} Name one of them"
                + ("." if by else ", or say by which column to look: `--by cell_type`.")
            )
        weights[its] += sign / its.sum()
    return weights


def _rows_of(trained: Trained, names: Sequence[str]) -> np.ndarray:
    """Find sequences by id or by gene name, each once."""
    var = trained.dataset.var
    ids = {str(name): row for row, name in enumerate(var.index)}
    if "gene_name" in var:
        gene_names = var["gene_name"].astype(str)
        once = ~gene_names.duplicated(keep=False).to_numpy()
        by_name = dict(zip(gene_names[once], np.flatnonzero(once).tolist(), strict=True))
        ids = by_name | ids
    if absent := [name for name in names if name not in ids]:
        raise InputError(
            f"attributions: {len(absent):,} of {len(names):,} names ({examples(absent)}) are none "
            f"of the {len(var):,} sequences of {trained.name}.{nearest(absent[0], list(ids))} "
            f"They are called as in the data set, such as {examples(var.index, 1)}."
        )
    return np.array(list(dict.fromkeys(ids[name] for name in names)), dtype=np.int64)


def _rows_of_regions(
    trained: Trained, regions: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray, list[tuple]]:
    """Find the windows that hold some of each region.

    Returns
    -------
    Their rows, which positions are asked of each (along its strand), and what is in none.
    """
    windows, length = trained.windows, trained.length
    chroms = match_chromosomes(pd.unique(regions["chrom"]), pd.unique(windows["chrom"]))
    starts, strands = windows["start"].to_numpy(), windows["strand"].to_numpy()
    of_chrom = pd.Series(np.arange(len(windows))).groupby(windows["chrom"].to_numpy())
    rows_there = {chrom: its.to_numpy() for chrom, its in of_chrom}
    asked: dict[int, np.ndarray] = {}
    skipped = []
    for region in regions.itertuples():
        there = rows_there.get(chroms.get(region.chrom, ""), np.empty(0, dtype=np.int64))
        first, end = region.start - starts[there], region.end - starts[there]
        inside = (first < length) & (end > 0)
        if not inside.any():
            skipped.append((region.name, region.chrom, region.start, region.end, NO_WINDOW))
        for row, a, b in zip(there[inside], first[inside], end[inside], strict=True):
            a, b = max(a, 0), min(b, length)
            if strands[row] == "-":
                a, b = length - b, length - a
            asked.setdefault(int(row), np.zeros(length, dtype=bool))[a:b] = True
    rows = np.sort(np.array(list(asked), dtype=np.int64))
    masks = [asked[row] for row in rows.tolist()]
    return rows, np.stack(masks) if masks else np.empty((0, length), bool), skipped


def _left_out(trained: Trained, rows: np.ndarray, reason: str) -> list[tuple]:
    places = trained.windows.iloc[rows]
    return [(place.Index, place.chrom, place.start, place.end, reason) for place in
            places.itertuples()]  # fmt: skip


def _nothing_left(left_out: pd.DataFrame) -> InputError:
    counts = left_out["reason"].value_counts()
    what = "; ".join(f"{n:,} {reason}" for reason, n in counts.items()) or "there are no sequences"
    advice = "Regions of another assembly, or with other names of chromosomes, are in no window."
    if NOT_HELD_OUT in counts.index or left_out.empty:
        advice = "`--all-folds` asks models that have trained on a sequence, too."
    return InputError(f"attributions: nothing is left to explain: {what}. {advice}")


@dataclass(frozen=True)
class _Question:
    """What is asked of the models, whatever the sequences."""

    trained: Trained
    method: str
    weights: np.ndarray  # of targets
    all_folds: bool
    n_references: int
    seed: int

    def explain(
        self, rows: np.ndarray, codes: np.ndarray, asked: np.ndarray, seeds: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ask each sequence's fold, or all: hypothetical contributions, predictions, baselines.

        Parameters
        ----------
        rows
            Of the data set, whose folds and features are taken.
        codes
            uint8 ``(sequences, length)``: those of the rows, or shuffled ones.
        asked
            Which positions: bool ``(sequences, length)``.
        seeds
            Of each sequence's references.
        """
        hypothetical = np.zeros((len(rows), 4, codes.shape[1]), dtype=np.float32)
        prediction, baseline = np.zeros(len(rows)), np.zeros(len(rows))
        folds, models = self.trained.test_fold[rows], self.trained.models
        n_asked = len(models) if self.all_folds else 1
        for fold, model in models.items():
            its = np.flatnonzero(self.all_folds | (folds == fold))
            parts = np.array_split(its, -(-len(its) // AT_ONCE)) if len(its) else []
            for part in progress(parts, f"fold {fold}, parts of the sequences"):
                inputs = self.trained.inputs(fold, codes[part], rows[part])
                own = predict(model, inputs).cpu().double().numpy() @ self.weights
                prediction[part] += own / n_asked
                if self.method == "ism":
                    given = _substituted(model, inputs, self.weights, asked[part])
                elif self.method == "gradient":
                    given = attributions.gradients(model, inputs, self.weights)
                else:
                    given, expected = attributions.deeplift(
                        model,
                        inputs,
                        self.weights,
                        n_references=self.n_references,
                        seeds=[seeds[i] for i in part],
                    )
                    baseline[part] += expected / n_asked
                hypothetical[part] += given / n_asked
        hypothetical[np.broadcast_to(~asked[:, None], hypothetical.shape)] = np.nan
        return hypothetical, prediction, baseline

    def by_chance(
        self, rows: np.ndarray, codes: np.ndarray, asked: np.ndarray, n: int
    ) -> np.ndarray:
        """Give contributions of bases in shuffled sequences, drawn in turn: ``(n, length)``."""
        rng = np.random.default_rng(derive_seed(self.seed, "chance"))
        drawn = np.resize(rng.permutation(len(rows)), n)
        shuffled = shuffle_dinucleotides(codes[drawn], derive_seed(self.seed, "shuffled"))
        seeds = [derive_seed(self.seed, "references of shuffled", i) for i in range(n)]
        hypothetical, _, _ = self.explain(rows[drawn], shuffled, asked[drawn], seeds)
        return actual(hypothetical, shuffled)


def _substituted(
    model: SequenceModel, inputs: Inputs, weights: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    """Substitute in the positions that were asked for; sequences of one stretch go together."""
    spans = np.stack([asked.argmax(axis=1), asked.shape[1] - asked[:, ::-1].argmax(axis=1)], axis=1)
    given = np.zeros((len(asked), 4, asked.shape[1]), dtype=np.float32)
    for first, end in np.unique(spans, axis=0).tolist():
        its = np.flatnonzero((spans == (first, end)).all(axis=1))
        part = inputs.rows(torch.from_numpy(its).to(inputs.device))
        given[its, :, first:end] = attributions.substitutions(model, part, weights, first, end)
    return given
