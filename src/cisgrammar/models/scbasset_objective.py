"""How scBasset is trained: binary cross-entropy over sparse targets, watched by training AUROC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.common.devices import in_any_order
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.augmentation import augment
from cisgrammar.data.cells_by_peaks import check_batch
from cisgrammar.data.draws import Draws
from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.data.split import Split
from cisgrammar.models.kernels.open_cross_entropy import cross_entropy_sum, is_fused
from cisgrammar.models.objectives import on_device
from cisgrammar.models.scbasset_start import STEP

if TYPE_CHECKING:
    from cisgrammar.models.scbasset import Scbasset

BINS = 512
LOGIT_RANGE = 12.0  # of the bins


class Accessibility:
    """Yuan & Kelley (2022), Methods, "Training approach", as an objective.

    Parameters
    ----------
    model
        Whose ``recipe`` says ``betas``, ``start``, ``cells_step``, ``max_shift``,
        ``augment_per_sequence``, ``l2_cells``, ``l2_batches``, ``auroc_cells`` and
        ``least_auroc_gain``.
    split
        Its targets are :class:`OpenEntries`.

    Raises
    ------
    InputError
        If there are fewer training peaks than 2, or no entry is open.

    Notes
    -----
    As published: cross-entropy averaged over peaks and cells, Adam, training stops when the
    best training AUROC (mean over cells, over the epoch's batches as they were augmented) has
    not risen. The AUROC is that of at most ``auroc_cells`` cells, drawn once, and of logits in
    512 bins; the original takes all cells and 200 bins of probability. Cells that do
    not start by chance move by ``cells_step`` of the learning rate, so that they keep what they
    start with until the network can tell of it.
    """

    def __init__(self, model: Scbasset, split: Split) -> None:
        targets = _open_entries(split)
        self.recipe: dict[str, Any] = model.recipe
        self.least_gain = self.recipe["least_auroc_gain"]
        self.recordable = is_fused(model.head.weight)
        n_cells = targets.n_cells
        watched = np.arange(n_cells)
        if n_cells > self.recipe["auroc_cells"]:
            rng = np.random.default_rng(derive_seed(0, "auroc_cells", n_cells))
            watched = np.sort(rng.choice(n_cells, self.recipe["auroc_cells"], replace=False))
        self.watched_cells = torch.from_numpy(watched).to(split.device)
        self.watched_targets = targets.of_cells(self.watched_cells)
        self.train_auroc = RunningAuroc(len(watched), split.device)

    def optimizer(self, model: Any, learning_rate: float) -> torch.optim.Optimizer:
        """Make Adam with the published decay rates, and Keras's epsilon; cells have their step."""
        betas = tuple(self.recipe["betas"])
        of_cells = list(model.head.parameters())
        others = [p for name, p in model.named_parameters() if not name.startswith("head.")]
        share = self.recipe["cells_step"]
        if share is None:
            share = 1 if self.recipe["start"] == "random" else STEP
        return torch.optim.Adam(
            [{"params": others}, {"params": of_cells, "lr": share * learning_rate}],
            lr=learning_rate, betas=betas, eps=1e-7, **on_device(model),
        )  # fmt: skip

    def batches(self, order: Tensor, batch_size: int) -> Sequence[Tensor]:
        """Cut into equal batches: a batch of one has no variance to normalise by."""
        check_batch(len(order), batch_size)
        return order.tensor_split(math.ceil(len(order) / batch_size))

    def losses(self, models: list[Any], split: Split, rows: Tensor, draws: Draws) -> Tensor:
        """Average cross-entropy over a batch and all cells; add the L2 terms."""
        (model,) = models
        targets = _open_entries(split)
        codes = augment(
            split.inputs.codes[rows],
            draws,
            max_shift=self.recipe["max_shift"],
            per_sequence=self.recipe["augment_per_sequence"],
        )
        embedding = model.embed(codes, draws)
        weight, bias = model.cell_weights()
        total = cross_entropy_sum(embedding, weight, bias, targets, rows)
        self._watch(self.train_auroc, embedding, weight, bias, rows)
        loss = total / (len(rows) * targets.n_cells)
        if self.recipe["l2_cells"]:
            loss = loss + self.recipe["l2_cells"] * model.head.weight.square().sum()
        if self.recipe["l2_batches"] and model.batch_head is not None:
            loss = loss + self.recipe["l2_batches"] * model.batch_head.weight.square().sum()
        return loss[None]

    @torch.no_grad()
    def metrics(self, models: list[Any], split: Split) -> list[dict[str, float]]:
        """Read off the epoch's AUROC, and measure loss and AUROC on the validation part."""
        (model,) = models
        targets = _open_entries(split)
        model.eval()
        weight, bias = model.cell_weights()
        total, auroc = 0.0, RunningAuroc(len(self.watched_cells), split.device)
        for rows in split.validation.split(128):
            embedding = model.embed(split.inputs.codes[rows])
            loss = cross_entropy_sum(embedding, weight, bias, targets, rows)
            total += loss.item()
            self._watch(auroc, embedding, weight, bias, rows)
        metrics = {
            "train_auroc": self.train_auroc.mean(),
            "validation_loss": total / (len(split.validation) * targets.n_cells),
            "validation_auroc": auroc.mean(),
        }
        self.train_auroc.clear()
        return [metrics]

    def watched(self, metrics: dict[str, float]) -> float:
        """Watch the training AUROC, as published."""
        return 1 - metrics["train_auroc"]

    @torch.no_grad()
    def _watch(
        self, auroc: RunningAuroc, embedding: Tensor, weight: Tensor, bias: Tensor, rows: Tensor
    ) -> None:
        cells = self.watched_cells
        logits = F.linear(embedding, weight[cells], bias[cells])
        auroc.add(logits, self.watched_targets.dense(rows))


def _open_entries(split: Split) -> OpenEntries:
    assert isinstance(split.targets, OpenEntries)
    return split.targets


class RunningAuroc:
    """Area under the ROC curve of each cell, batch by batch, from counts in bins of logits."""

    def __init__(self, n_cells: int, device: torch.device | str = "cpu") -> None:
        self.counts = torch.zeros((2, n_cells, BINS), dtype=torch.int64, device=device)

    def add(self, logits: Tensor, is_open: Tensor) -> None:
        """Count a batch: logits and truth, ``(peaks, cells)``."""
        n_cells = self.counts.shape[1]
        bins = ((logits + LOGIT_RANGE) * (BINS / (2 * LOGIT_RANGE))).clamp(0, BINS - 1).long()
        places = (is_open * n_cells + torch.arange(n_cells, device=logits.device)) * BINS + bins
        places = places.flatten()
        if places.is_cuda:  # where counting waits for the GPU to say how far
            with in_any_order():  # integers
                self.counts.view(-1).index_add_(0, places, torch.ones_like(places))
        else:
            counted = torch.bincount(places, minlength=self.counts.numel())
            self.counts += counted.view_as(self.counts)

    def clear(self) -> None:
        """Begin anew."""
        self.counts.zero_()

    def mean(self) -> float:
        """Average over the cells that have open and closed peaks; values in one bin are tied."""
        closed, opened = self.counts.cpu().double()  # CUDA sums in any order
        below = closed.cumsum(1) - closed / 2
        pairs = closed.sum(1) * opened.sum(1)
        areas = (opened * below).sum(1) / pairs
        return float(areas[pairs > 0].mean())
