"""Which cells are open at which peak: sparse targets, and a loss that never spells them out."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import numpy as np
import torch
from anndata.abc import CSRDataset
from scipy import sparse
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.data.accessibility import CELLS_READ_AT_ONCE, some_cells_at_a_time

ENTRIES_AT_ONCE = 2**22  # open entries that are sifted at a time
CELLS_AT_ONCE = 65_536  # logits of a batch of peaks are made for so many cells at a time
HAS_TRITON = importlib.util.find_spec("triton") is not None
WIDEST = 64  # a wider bottleneck takes the fused kernel more registers than there are


@dataclass(frozen=True)
class OpenEntries:
    """The open cells of each peak: 4 bytes for each, and no values, for all are 1.

    Parameters
    ----------
    offsets
        Where each peak's cells begin, and the end: int64 ``(peaks + 1,)``.
    cells
        int32 ``(open entries,)``, ascending within a peak.
    n_cells
        How many cells there are.
    """

    offsets: Tensor
    cells: Tensor
    n_cells: int

    @classmethod
    def of_matrix(
        cls,
        cells_by_peaks: sparse.spmatrix | CSRDataset,
        device: torch.device | str = "cpu",
        at_once: int = CELLS_READ_AT_ONCE,
    ) -> OpenEntries:
        """Take the entries other than 0 of cells x peaks.

        Parameters
        ----------
        cells_by_peaks
            In memory, or the ``X`` of an AnnData that was read with ``backed="r"``. It is read
            twice, some cells at a time, so that beside it nothing but the result takes memory.
        device
            Where the result goes.
        at_once
            Cells that are read at a time.
        """
        n_cells, n_peaks = cells_by_peaks.shape
        lengths = np.zeros(n_peaks, dtype=np.int64)
        for part in some_cells_at_a_time(cells_by_peaks, at_once):
            lengths += np.bincount(part.indices, minlength=n_peaks)
        offsets = np.concatenate([[0], lengths.cumsum()])
        cells, filled, first = np.empty(offsets[-1], dtype=np.int32), offsets[:-1].copy(), 0
        for part in some_cells_at_a_time(cells_by_peaks, at_once):
            by_peak = part.tocsc()
            lengths = np.diff(by_peak.indptr)
            places = np.repeat(filled - by_peak.indptr[:-1], lengths) + np.arange(part.nnz)
            cells[places] = by_peak.indices + first
            filled += lengths
            first += part.shape[0]
        return cls(
            torch.from_numpy(offsets).to(device), torch.from_numpy(cells).to(device), n_cells
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Peaks and cells."""
        return len(self.offsets) - 1, self.n_cells

    @property
    def is_cuda(self) -> bool:
        """Whether the entries are on a GPU."""
        return self.cells.is_cuda

    def of_peaks(self, peaks: Tensor) -> tuple[Tensor, Tensor]:
        """List the open cells of some peaks, one peak after the other.

        Parameters
        ----------
        peaks
            int64 ``(batch,)``.

        Returns
        -------
        cells
            int64 ``(open entries of the batch,)``.
        starts
            Where each peak's begin: int64 ``(batch,)``.
        """
        first = self.offsets[peaks]
        lengths = self.offsets[peaks + 1] - first
        ends = lengths.cumsum(0)
        starts = ends - lengths
        total = int(ends[-1]) if len(ends) else 0
        places = torch.arange(total, device=self.cells.device)
        places += torch.repeat_interleave(first - starts, lengths, output_size=total)
        return self.cells[places].long(), starts

    def of_cells(self, chosen: Tensor) -> OpenEntries:
        """Keep some cells, in the given order: int64 ``(n,)``."""
        new = torch.full((self.n_cells,), -1, dtype=torch.int32, device=self.cells.device)
        new[chosen] = torch.arange(len(chosen), dtype=torch.int32, device=self.cells.device)
        n_peaks, _ = self.shape
        peaks_at_once = max(ENTRIES_AT_ONCE * n_peaks // max(len(self.cells), 1), 1)
        lengths, cells = [], []
        for first in range(0, n_peaks, peaks_at_once):
            offsets = self.offsets[first : first + peaks_at_once + 1]
            renamed = new[self.cells[offsets[0] : offsets[-1]].long()]
            kept = renamed >= 0
            before = F.pad(kept.cumsum(0), (1, 0))
            lengths.append(before[offsets - offsets[0]].diff())
            cells.append(renamed[kept])
        ends = torch.cat(lengths).cumsum(0)
        return OpenEntries(F.pad(ends, (1, 0)), torch.cat(cells), len(chosen))

    def dense(self, peaks: Tensor) -> Tensor:
        """Spell out a few peaks: bool ``(batch, cells)``. For scores and tests."""
        cells, starts = self.of_peaks(peaks)
        lengths = torch.diff(starts, append=starts.new_tensor([len(cells)]))
        rows = torch.repeat_interleave(torch.arange(len(peaks), device=cells.device), lengths)
        table = torch.zeros((len(peaks), self.n_cells), dtype=torch.bool, device=cells.device)
        table[rows, cells] = True
        return table


def cross_entropy_sum(
    embedding: Tensor,
    weight: Tensor,
    bias: Tensor,
    cells: Tensor,
    starts: Tensor,
    at_once: int = CELLS_AT_ONCE,
) -> Tensor:
    """Sum binary cross-entropy over all peaks of a batch and all cells.

    It is the sum of softplus(logit) less the logits of the open entries. Logits are made for
    some cells at a time and thrown away, gradients with them, so that neither targets nor logits
    ever take memory for all cells. On CUDA, with Triton, logits are not written to memory at all.

    Parameters
    ----------
    embedding
        What the network makes of the peaks: float32 ``(batch, bottleneck)``.
    weight, bias
        Of the last layer: ``(cells, bottleneck)``, ``(cells,)``.
    cells, starts
        From :meth:`OpenEntries.of_peaks`.
    at_once
        Cells in a block, where logits are made block by block.

    Returns
    -------
    A scalar, differentiable once in embedding, weight and bias.
    """
    over_open = F.embedding_bag(cells, weight, starts, mode="sum")  # (batch, bottleneck)
    bias_open = F.embedding_bag(cells, bias[:, None], starts, mode="sum")  # (batch, 1)
    open_logits = (embedding * over_open).sum(dim=1) + bias_open[:, 0]
    softplus = _SoftplusSum.apply(embedding, weight, bias, at_once, torch.is_grad_enabled())
    return softplus - open_logits.sum()


class _SoftplusSum(torch.autograd.Function):
    """Sum softplus(logit) over peaks and cells; gradients are made beside it."""

    @staticmethod
    def forward(ctx, embedding, weight, bias, at_once, grad_enabled):
        wanted = grad_enabled and any(ctx.needs_input_grad)
        if _is_fused(weight):
            from cisgrammar.models.kernels import softplus_triton

            with torch.cuda.device_of(weight):
                total, grads = softplus_triton.forward(embedding, weight, bias, wanted)
        else:
            total, grads = _block_by_block(embedding, weight, bias, at_once, wanted)
        if wanted:
            ctx.save_for_backward(*grads)
        return total.to(embedding.dtype)

    @staticmethod
    def backward(ctx, grad):
        return *(grad * saved for saved in ctx.saved_tensors), None, None


def _is_fused(weight: Tensor) -> bool:
    return weight.is_cuda and HAS_TRITON and weight.shape[1] <= WIDEST


def _block_by_block(
    embedding: Tensor, weight: Tensor, bias: Tensor, at_once: int, wanted: bool
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Sum softplus by torch operations: the float64 sum, and gradients where wanted."""
    total = torch.zeros(len(embedding), dtype=torch.float64, device=embedding.device)
    grads = torch.zeros_like(embedding), torch.empty_like(weight), torch.empty_like(bias)
    for first in range(0, len(weight), at_once):
        block = slice(first, first + at_once)
        logits = torch.addmm(bias[block], embedding, weight[block].T)  # (batch, block)
        total += F.softplus(logits).sum(dim=1, dtype=torch.float64)
        if wanted:
            slope = logits.sigmoid_()
            grads[0].addmm_(slope, weight[block])
            torch.mm(slope.T, embedding, out=grads[1][block])
            torch.sum(slope, dim=0, out=grads[2][block])
    return total.sum(), grads
