"""Which cells are open at which peak: sparse targets."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import numpy as np
import torch
from anndata.abc import CSRDataset
from scipy import sparse
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.data.cells_by_peaks import CELLS_READ_AT_ONCE, some_cells_at_a_time

HAS_TRITON = importlib.util.find_spec("triton") is not None
ENTRIES_AT_ONCE = 2**22  # open entries that are sifted at a time


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
        """Spell out a few peaks: bool ``(batch, cells)``; on a GPU without waiting for it."""
        if self.is_cuda and HAS_TRITON:
            from cisgrammar.data import open_entries_triton

            with torch.cuda.device_of(self.cells):
                return open_entries_triton.dense(self.offsets, self.cells, peaks, self.n_cells)
        cells, starts = self.of_peaks(peaks)
        lengths = torch.diff(starts, append=starts.new_tensor([len(cells)]))
        rows = torch.repeat_interleave(torch.arange(len(peaks), device=cells.device), lengths)
        table = torch.zeros((len(peaks), self.n_cells), dtype=torch.bool, device=cells.device)
        table[rows, cells] = True
        return table
