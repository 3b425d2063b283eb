"""What single substitutions do in scXpresso: only what a changed base reaches is computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.data.split import Inputs
from cisgrammar.genome.sequence import N
from cisgrammar.models.layer_lengths import POOL_PADDING

if TYPE_CHECKING:
    from cisgrammar.models.scxpresso_network import PopulationNetwork

GENES_AT_ONCE = 8


@torch.no_grad()
def substitution_effects(
    network: PopulationNetwork, inputs: Inputs, first: int, end: int
) -> Tensor:
    """Predict what every substitution changes, in standard deviations of the targets.

    Parameters
    ----------
    network, inputs, first, end
        As :meth:`cisgrammar.models.abilities.Substitutes.substitution_effects`.

    Returns
    -------
    ``(genes, populations, 4, positions)``.

    Notes
    -----
    A base is in as many windows as the first filters are wide, so in one or two pools; these are
    in some ten windows of the second convolution, and those in one or two pools. What is added to
    the layer after is linear in them.
    """
    n_outputs = len(network.columns)
    effects = torch.zeros(len(inputs), n_outputs, 4, end - first, device=inputs.device)
    if network.reads_sequence:
        for start in range(0, len(inputs), GENES_AT_ONCE):
            rows = torch.arange(start, min(start + GENES_AT_ONCE, len(inputs)))
            kept = _Kept(network, inputs.rows(rows.to(inputs.device)))
            for pool, positions in kept.by_first_pool(first, end):
                others, changes = kept.change(pool, positions)
                places = (positions - first).expand(len(rows), 3, -1)
                genes = torch.arange(len(rows))[:, None, None].expand_as(places)
                part = effects[start : start + len(rows)].permute(0, 2, 3, 1)
                part[genes, others, places] = changes
    return effects


class _Kept:
    """The layers of some unchanged sequences."""

    def __init__(self, network: PopulationNetwork, inputs: Inputs) -> None:
        self.network, self.codes = network, inputs.codes
        weight = network.second.weight  # (second_filters, filters, second_width)
        self.before = network.second_padding
        self.first = network.first_layer(inputs.codes)  # (genes, pools, filters)
        self.second = self.second_layer(weight, network.second.bias)
        self.second_width = weight.shape[2]
        # what a change at a position adds to each window that it is in, the last window first
        self.shares = weight.permute(1, 2, 0).flatten(1)
        size = network.second_pool
        self.n_pools = self.second.shape[1] // size
        self.pooled = self.pool(self.second[:, : self.n_pools * size])
        joined = network.joined(self.pooled.transpose(1, 2), inputs)  # (genes, hidden)
        self.joined, self.outputs = joined, network.outputs(joined)
        self.dense = network.dense.weight[:, : weight.shape[0] * self.n_pools].unflatten(
            1, (weight.shape[0], self.n_pools)
        )  # (hidden, second_filters, pools)

    def second_layer(self, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Run the second convolution: ``(genes, positions, filters)``, before ReLU."""
        assert bias is not None
        padded = F.pad(self.first, (0, 0, self.before, self.before))
        n = padded.shape[1] - weight.shape[2] + 1
        # a product for each place: torch's convolution depends on threads in its last digits
        second = bias.expand(len(padded), n, -1)
        for place, matrix in enumerate(weight.unbind(dim=2)):
            second = second + padded[:, place : place + n] @ matrix.T
        return second

    def pool(self, x: Tensor) -> Tensor:
        """Take ReLU and the highest of neighbours: ``(rows, positions, filters)``."""
        return F.relu(x).unflatten(1, (-1, self.network.second_pool)).amax(dim=2)

    def by_first_pool(self, first: int, end: int) -> list[tuple[tuple[int, int], Tensor]]:
        """Group positions by the pools that they reach: the first, and the one after the last."""
        size, before = self.network.pool, self.network.first_padding
        width = self.network.first.weight.shape[2]
        positions = torch.arange(first, end)
        low = (positions - (width - 1) + before + POOL_PADDING).div(size, rounding_mode="floor")
        high = (positions + before + POOL_PADDING).div(size, rounding_mode="floor") + 1
        low, high = low.clamp(min=0), high.clamp(max=self.first.shape[1])
        reached = torch.stack([low, high], dim=1)[low < high]
        positions = positions[low < high]
        return [
            ((int(pools[0]), int(pools[1])), positions[(reached == pools).all(dim=1)])
            for pools in reached.unique(dim=0)
        ]

    def change(self, pools: tuple[int, int], positions: Tensor) -> tuple[Tensor, Tensor]:
        """Put the three other bases at each of some positions, one after the other.

        Returns
        -------
        The bases, ``(genes, 3, positions)``, and what each changes, with populations behind.
        """
        low, high = pools
        here = self.codes[:, positions].long()
        others = (here[:, None] + torch.arange(1, 4, device=here.device)[:, None]) % 4
        changed = self.changed_first(low, high, positions, others)
        by_gene = (len(self.codes), 3 * len(positions))
        delta = changed.unflatten(0, by_gene) - self.first[:, None, low:high]
        shares = (delta @ self.shares).unflatten(-1, (self.second_width, -1))
        # from the window that the first changed position ends to the one that the last one begins
        start = low + self.before - (self.second_width - 1)
        n = self.second_width + high - low - 1
        spread = shares.new_zeros(*by_gene, n, shares.shape[-1])
        for i in range(high - low):
            spread[:, :, i : i + self.second_width] += shares[:, :, i].flip(2)
        return others, self.changed_outputs(start, spread, here)

    def changed_first(self, low: int, high: int, positions: Tensor, others: Tensor) -> Tensor:
        """Compute some pools of the first layer again, for each change: a row each."""
        size, before = self.network.pool, self.network.first_padding
        width = self.network.first.weight.shape[2]
        # bases that these pools read, if they touch no end of the sequence
        start = low * size - POOL_PADDING - before
        end = high * size - POOL_PADDING - before + width - 1
        inside = start >= 0 and end <= self.codes.shape[1]
        first, last = (start, end) if inside else (0, self.codes.shape[1])
        n = 3 * len(positions)
        rows = self.codes[:, None, first:last].expand(-1, n, -1).clone()
        rows = rows.unflatten(1, (3, len(positions)))
        places = (positions - first).to(rows.device).expand(len(rows), 3, -1)
        rows.scatter_(3, places[..., None], others[..., None].to(torch.uint8))
        rows = rows.flatten(0, 2)
        if inside:
            return self.network.first_layer(rows, padded=False)
        return self.network.first_layer(rows)[:, low:high]

    def changed_outputs(self, start: int, spread: Tensor, here: Tensor) -> Tensor:
        """Go on from what is added to some positions of the second convolution."""
        size = self.network.second_pool
        low = max(start, 0) // size
        high = min(-(-(start + spread.shape[2]) // size), self.n_pools)
        n_genes, n = spread.shape[:2]
        if low >= high:  # beyond the last pool
            return self.outputs.new_zeros(n_genes, 3, n // 3, self.outputs.shape[1])
        second = self.second[:, None, low * size : high * size].repeat(1, n, 1, 1)
        skipped = max(low * size - start, 0)
        at = max(start - low * size, 0)
        fitting = min(spread.shape[2] - skipped, (high - low) * size - at)
        second[:, :, at : at + fitting] += spread[:, :, skipped : skipped + fitting]
        delta = self.pool(second.flatten(0, 1)) - self.pooled[:, low:high].repeat_interleave(
            n, dim=0
        )
        weights = self.dense[:, :, low:high].flatten(1)  # (hidden, second_filters x pools)
        added = delta.transpose(1, 2).flatten(1) @ weights.T
        outputs = self.network.outputs(self.joined.repeat_interleave(n, dim=0) + added)
        changes = outputs.unflatten(0, (n_genes, n)) - self.outputs[:, None]
        changes = changes.unflatten(1, (3, -1))
        return changes.masked_fill((here == N)[:, None, :, None], 0)
