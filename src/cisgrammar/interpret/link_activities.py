"""What each peak adds to a gene in each cell, by the cRE attention model: DeepLIFT, closed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.data.gene_batches import GeneBatch
from cisgrammar.models.cre_attention import CreAttention

TINY = 1e-6  # below such a difference the slope of a ReLU is that at the baseline
CELLS_AT_ONCE = 512  # cells x wide, the largest array, stays small


@dataclass(frozen=True)
class Activities:
    """What a promoter and its candidates add to a gene, and to what.

    Parameters
    ----------
    added
        ``(cells, 1 + candidates)``, the promoter first. A row sums to prediction minus baseline.
    prediction
        ``(cells,)``.
    baseline
        The cell with the lowest prediction, in which all peaks are as the baseline has them.
    """

    added: Tensor
    prediction: Tensor
    baseline: int


@torch.no_grad()
def gene_activities(model: CreAttention, batch: GeneBatch, readout: Tensor) -> Activities:
    """Attribute one gene's prediction to its peaks, exactly.

    Parameters
    ----------
    model
        A trained model.
    batch
        One gene, in all cells.
    readout
        What turns outputs into the gene's expression: ``(outputs,)``.

    Notes
    -----
    DeepLIFT's rescale rule (Shrikumar et al. 2017). With the sequences fixed, all between
    accessibility and prediction is linear but two ReLUs, whose multipliers are differences of
    outputs over differences of inputs. The baseline is that of Murakami et al. (2025). With
    ``norm: paper`` the means and variances over cells stand for themselves; they are not
    attributed.
    """
    (access,) = batch.accessibility
    (weight,), (intercept,) = model.weights_of_peaks(batch)
    wide_bias = model.wide(model.joined.bias)
    readout = readout.to(access.device, access.dtype)
    of_wide = readout @ model.output.weight  # (wide,)
    constant = readout @ model.output.bias

    def layers(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first = torch.addmm(intercept, rows, weight)
        joined = F.relu(first) @ model.joined.weight.T
        second = torch.addmm(wide_bias, joined, model.wide.weight.T)
        return first, second, F.relu(second) @ of_wide + constant

    prediction = torch.cat([layers(rows)[2] for rows in access.split(CELLS_AT_ONCE)])
    baseline = int(prediction.argmin())
    start = access[baseline : baseline + 1]
    first_0, second_0, _ = layers(start)
    values = []
    for rows in access.split(CELLS_AT_ONCE):
        first, second, _ = layers(rows)
        back = (_slope(second, second_0) * of_wide) @ model.wide.weight @ model.joined.weight
        back = (_slope(first, first_0) * back) @ weight.T
        values.append((rows - start) * back)
    return Activities(torch.cat(values), prediction, baseline)


def _slope(x: Tensor, start: Tensor) -> Tensor:
    """Give how much of a difference a ReLU lets through."""
    difference = x - start
    small = difference.abs() < TINY
    safe = torch.where(small, torch.ones_like(difference), difference)
    return torch.where(small, (start > 0).to(x.dtype), (F.relu(x) - F.relu(start)) / safe)
