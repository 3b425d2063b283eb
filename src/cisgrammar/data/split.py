"""What a model reads and learns in one fold: named inputs, targets, and the fold's parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from anndata.abc import CSRDataset
from scipy import sparse
from torch import Tensor

from cisgrammar.data.folds import TRAIN, VALIDATION, rows_of
from cisgrammar.data.open_entries import OpenEntries


class Inputs:
    """What a model reads of some sequences, by name; each input has one row for each sequence.

    Parameters
    ----------
    codes
        uint8 ``(sequences, length)``: the one input that every model reads.
    others
        Tensors, or whatever is indexed by rows and moved to a device as tensors are.

    Raises
    ------
    ValueError
        If inputs have different numbers of rows.

    Examples
    --------
    >>> inputs = Inputs(torch.zeros((3, 8), dtype=torch.uint8), features=torch.ones(3, 2))
    >>> len(inputs), inputs.rows(torch.tensor([0, 2]))["features"].shape
    (3, torch.Size([2, 2]))
    """

    def __init__(self, codes: Tensor, **others: Tensor) -> None:
        self._arrays = {"codes": codes, **others}
        lengths = {name: len(array) for name, array in self._arrays.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"inputs differ in their number of sequences: {lengths}")

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, name: str) -> Tensor:
        return self._arrays[name]

    @property
    def codes(self) -> Tensor:
        """The sequences, uint8 ``(sequences, length)``."""
        return self._arrays["codes"]

    @property
    def device(self) -> torch.device:
        """Where the inputs are."""
        return self.codes.device

    def arrays(self) -> dict[str, Tensor]:
        """Give all inputs by name."""
        return dict(self._arrays)

    def rows(self, rows: Tensor) -> Inputs:
        """Take some sequences: int64 ``(n,)``, in the given order."""
        return Inputs(**{name: array[rows] for name, array in self._arrays.items()})

    def batches(self, size: int) -> Iterator[Inputs]:
        """Cut into batches, one after the other; the last may be small."""
        for first in range(0, len(self), size):
            batch = slice(first, first + size)
            yield Inputs(**{name: array[batch] for name, array in self._arrays.items()})

    def replace(self, **arrays: Tensor) -> Inputs:
        """Give the same sequences with other values of some inputs."""
        return Inputs(**{**self._arrays, **arrays})

    def to(self, device: torch.device | str) -> Inputs:
        """Move to a device."""
        return Inputs(**{name: array.to(device) for name, array in self._arrays.items()})


def read_codes(dataset: AnnData) -> Inputs:
    """Take the sequences out of a data set, and nothing else."""
    return Inputs(torch.from_numpy(np.ascontiguousarray(dataset.varm["codes"])))


@dataclass(frozen=True)
class Split:
    """The inputs and targets of one fold's training and validation parts, on one device."""

    inputs: Inputs
    targets: Tensor | OpenEntries  # float32 (sequences, targets), or which of them are 1
    train: Tensor  # int64 rows
    validation: Tensor  # int64 rows

    @classmethod
    def of_fold(
        cls,
        dataset: AnnData,
        folds: pd.DataFrame,
        fold: int,
        device: torch.device | str = "cpu",
        read_inputs: Callable[[AnnData], Inputs] = read_codes,
    ) -> Split:
        """Take a fold out of a data set and folds.tsv.

        Parameters
        ----------
        dataset
            Targets x sequences. With an AnnData that was read with ``backed="r"`` nothing is
            held twice; sparse targets stay sparse.
        folds, fold
            folds.tsv, and which fold.
        device
            Where inputs and targets go.
        read_inputs
            A model's own, see :class:`cisgrammar.models.base.SequenceModel`.
        """
        targets: Tensor | OpenEntries
        if sparse.issparse(dataset.X) or isinstance(dataset.X, CSRDataset):
            targets = OpenEntries.of_matrix(dataset.X, device)
        else:
            targets = torch.from_numpy(np.ascontiguousarray(dataset.X[:].T)).to(device)
        return cls(
            read_inputs(dataset).to(device),
            targets,
            torch.from_numpy(rows_of(folds, fold, TRAIN)).to(device),
            torch.from_numpy(rows_of(folds, fold, VALIDATION)).to(device),
        )

    @property
    def device(self) -> torch.device:
        """Where inputs and targets are."""
        return self.inputs.device

    def digest(self) -> str:
        """Name the data by what is in them."""
        digest = hashlib.sha256()
        if isinstance(self.targets, OpenEntries):
            targets = [self.targets.offsets, self.targets.cells]
        else:
            targets = [self.targets]
        inputs = self.inputs.arrays()
        for tensor in (*inputs.values(), *targets, self.train, self.validation):
            digest.update(tensor.cpu().numpy().data)
        return digest.hexdigest()
