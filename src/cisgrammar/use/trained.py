"""A trained model with all its folds, read from the folder of its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import read_h5ad
from cisgrammar.common.inputs import examples
from cisgrammar.data.folds import TEST, read_folds, rows_of
from cisgrammar.data.given import read_sequences
from cisgrammar.data.split import Inputs
from cisgrammar.genome.sequence import encode
from cisgrammar.genome.windows import centred_windows
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.checkpoints import load_model
from cisgrammar.models.prediction import predict, predict_members, weights_of_members
from cisgrammar.models.registry import CELLS, MODELS

Sequences: TypeAlias = "str | Path | Mapping[str, str] | pd.Series"


def load(
    folder: str | Path, device: str | torch.device = "cpu", n_folds: int | None = None
) -> Trained:
    """Read a trained model.

    Parameters
    ----------
    folder
        Of the results of one model, such as ``results/demo/scover``.
    device
        Where the networks go.
    n_folds
        How many folds to read, the first ones; all that are there if not given.

    Raises
    ------
    InputError
        If the folder is not that of a model, or no fold of it has been trained.
    """
    folder = Path(folder)
    if folder.name not in MODELS:
        raise InputError(
            f"{folder}: the folder of a model is called {examples(MODELS, len(MODELS))}, such as "
            f"results/demo/scover, not `{folder.name}`."
        )
    paths = sorted(folder.glob("fold*/model.pt"), key=lambda path: int(path.parent.name[4:]))
    paths = paths[:n_folds]
    if not paths:
        raise InputError(
            f"{folder}: no fold has a model.pt. Run the pipeline on this data set first, or name "
            "the folder of another model."
        )
    spec = MODELS[folder.name]
    dataset = read_h5ad(folder.parent / spec.data.dataset, backed="r")
    folds = read_folds(folder.parent / spec.data.folds, dataset.var_names)
    models = {int(path.parent.name[4:]): load_model(path, device) for path in paths}
    return Trained(spec.name, models, dataset, folds, torch.device(device))


@dataclass(frozen=True)
class Trained:
    """The models of all folds, and the data that they were trained on.

    Parameters
    ----------
    name
        Of the model.
    models
        By fold.
    dataset
        Targets x sequences, as the pipeline made it.
    folds
        Which sequences each fold trains on, validates with and tests.
    device
        Where the models are.
    """

    name: str
    models: Mapping[int, SequenceModel]
    dataset: AnnData
    folds: pd.DataFrame
    device: torch.device

    @cached_property
    def test_fold(self) -> np.ndarray:
        """Give for each sequence the fold whose model never saw it; -1 where none has tested it."""
        found = np.full(self.dataset.n_vars, -1)
        for fold in self.models:
            found[rows_of(self.folds, fold, TEST)] = fold
        return found

    @cached_property
    def windows(self) -> pd.DataFrame:
        """Give the window of each sequence: chrom, start, end, strand and anchor.

        The anchor is the TSS where the data have it, else the middle; in bases from the start.

        Raises
        ------
        InputError
            If the data do not say where their sequences are.
        """
        var = self.dataset.var
        if not {"chrom", "start", "end"} <= set(var) or (var["chrom"] == "unknown").all():
            raise InputError(
                f"{self.name}: its data do not say where on the genome their sequences are, so no "
                "variant can be put into them. Name their places in `given.regions`, and run again."
            )
        if MODELS[self.name].data is CELLS:  # there, places are those of peaks
            var = centred_windows(var, self.length)
        at = (var["TSS"] - var["start"]) if "TSS" in var else self.length // 2
        strand = var["strand"].astype(str) if "strand" in var else "+"
        places = var[["chrom", "start", "end"]].astype({"chrom": str, "start": int, "end": int})
        return places.assign(strand=strand, anchor=at)

    @property
    def stranded(self) -> bool:
        """Whether windows lie along genes, so that the other strand would read them backwards."""
        return bool((self.windows["strand"] == "-").any())

    @property
    def length(self) -> int:
        """Bases of a sequence."""
        return int(self.dataset.varm["codes"].shape[1])

    def labels(self, by: str | None) -> pd.Series:
        """Give each target's label, by which predictions are averaged.

        Parameters
        ----------
        by
            A column of the targets, such as ``cell_type``; None takes each target by itself.

        Raises
        ------
        InputError
            If there is no such column.
        """
        obs = self.dataset.obs
        if by is None:
            return pd.Series(self.dataset.obs_names.astype(str), self.dataset.obs_names)
        if by not in obs:
            raise InputError(
                f"`by` is {by}, but the targets of {self.name} have the columns "
                f"{examples(obs.columns, 20)}."
            )
        return obs[by].astype(str)

    def predict(self, sequences: Sequences, by: str | None = None) -> AnnData:
        """Predict sequences that need not be of the data set.

        Parameters
        ----------
        sequences
            A FASTA (plain or gzip), or names and sequences. All are as long as those that the
            model was trained on. Features of genes are taken to be the mean over those of the data
            set.
        by
            A column of the targets, over whose labels predictions are averaged.

        Returns
        -------
        Targets, or labels, x sequences. X: the mean of the folds, in the unit in which the model
        was trained; layer ``spread``: the standard deviation over folds, 0 of a single one.

        Raises
        ------
        InputError
            If sequences are of another length or hold other letters.
        """
        names, codes = _read(sequences)
        if codes.shape[1] != self.length:
            raise InputError(
                f"sequences are {codes.shape[1]:,} bases long, but {self.name} was trained on "
                f"{self.length:,}. Cut or extend them about the same place (TSS or middle)."
            )
        labels = self.labels(by)
        each = np.stack([self.predicted(fold, codes, labels) for fold in self.models])
        obs = pd.DataFrame(index=pd.Index(pd.unique(labels), name=by))
        spread = {"spread": each.std(axis=0).T}
        return AnnData(each.mean(axis=0).T, obs, pd.DataFrame(index=names), layers=spread)

    def predicted(
        self, fold: int, codes: np.ndarray, labels: pd.Series, rows: np.ndarray | None = None
    ) -> np.ndarray:
        """Predict codes by one fold's model, averaged over the targets of each label.

        Parameters
        ----------
        fold
            Which.
        codes
            uint8 ``(sequences, length)``, along the strand that the model reads.
        labels
            From :meth:`labels`.
        rows
            For each sequence the one of the data set whose features it has; None takes their mean.

        Returns
        -------
        float32 ``(sequences, labels)``, labels in the order in which they come first.
        """
        values = predict(self.models[fold], self.inputs(fold, codes, rows)).cpu().numpy()
        return values @ _averages(labels)

    def predicted_by_members(
        self, fold: int, codes: np.ndarray, labels: pd.Series, rows: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Say what each member adds to what :meth:`predicted` gives.

        Returns
        -------
        What each adds, ``(members, sequences, labels)``, and its weight, ``(members, 1, labels)``:
        a member's own prediction is the quotient.
        """
        model, averages = self.models[fold], _averages(labels)
        each = predict_members(model, self.inputs(fold, codes, rows)).cpu().numpy()
        weights = weights_of_members(model, len(each)).cpu().numpy()[:, None]
        return (weights * each) @ averages, np.broadcast_to(weights, each[:, :1].shape) @ averages

    def inputs(self, fold: int, codes: np.ndarray, rows: np.ndarray | None = None) -> Inputs:
        """Give what one fold's model reads of codes; see :meth:`predicted`."""
        varm = {"codes": codes} | self._features(rows, codes)
        given = AnnData(np.zeros((0, len(codes)), np.float32), varm=varm)
        return self.models[fold].read_inputs(given).to(self.device)

    def _features(self, rows: np.ndarray | None, codes: np.ndarray) -> dict[str, np.ndarray]:
        if "features" not in self.dataset.varm:
            return {}
        features = np.asarray(self.dataset.varm["features"])
        if rows is not None:
            return {"features": features[rows]}
        known = np.ma.masked_invalid(features).mean(axis=0).filled(np.nan)  # not "not annotated"
        return {"features": np.broadcast_to(known, (len(codes), features.shape[1]))}


def _averages(labels: pd.Series) -> np.ndarray:
    """Give each target's part in the average of its label: float32 ``(targets, labels)``."""
    names = pd.unique(labels)
    of_target = pd.Categorical(labels, names).codes
    parts = np.zeros((len(labels), len(names)), dtype=np.float32)
    parts[np.arange(len(labels)), of_target] = 1 / np.bincount(of_target)[of_target]
    return parts


def _read(sequences: Sequences) -> tuple[Sequence[str], np.ndarray]:
    if isinstance(sequences, str | Path):
        return read_sequences(sequences)
    texts = {str(name): str(sequence) for name, sequence in sequences.items()}
    if len(lengths := {len(text) for text in texts.values()}) != 1:
        raise InputError(
            f"sequences are of {len(lengths)} lengths; give one or more of one length."
        )
    try:
        codes = np.stack([encode(text) for text in texts.values()])
    except ValueError as error:
        raise InputError(f"sequences: {error}. Replace other letters by N.") from None
    return list(texts), codes
