"""A small network that knows where along the window a word stands."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cisgrammar.data.draws import Draws, drop
from cisgrammar.genome.sequence import N
from cisgrammar.models.kernels.conv_maxpool import conv_maxpool

INITIAL_STD = 0.1  # of filter weights: a perfect match then stands out from the start


class BinnedNetwork(nn.Module):
    """Filters, the best match of each in each stretch of the window, and one hidden layer.

    Parameters
    ----------
    n_targets
        Outputs.
    filters, width
        Number and width of the filters.
    bins
        Stretches of equal length that the window is cut into.
    both_strands
        Take the better of a filter's matches on the two strands, else of the forward strand.
    hidden
        Units of the hidden layer.
    dropout
        Share of the matches that is left out in a training step; half of it of the hidden units.
    """

    def __init__(
        self,
        n_targets: int,
        filters: int,
        width: int,
        bins: int,
        both_strands: bool,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.bins, self.both_strands, self.dropout = bins, both_strands, dropout
        self.motifs = nn.Parameter(torch.empty(filters, 4, width))
        self.norm = nn.BatchNorm1d(filters)
        self.hidden = nn.Linear(filters * bins, hidden)
        self.head = nn.Linear(hidden, n_targets)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw weights: Kaiming's for the layers, normal for the filters; biases 0."""
        with torch.no_grad():
            self.motifs.normal_(0, INITIAL_STD, generator=generator)
            for layer in (self.hidden, self.head):
                nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=generator)
                layer.bias.zero_()

    def matches(self, codes: Tensor) -> Tensor:
        """Score the best match of each filter in each stretch: ``(batch, filters, bins)``.

        Parameters
        ----------
        codes
            uint8 ``(batch, length)``. A match belongs to the stretch where it starts.
        """
        n, length = codes.shape
        width = self.motifs.shape[2]
        step = -(-length // self.bins)
        padded = F.pad(codes, (0, step * self.bins + width - 1 - length), value=N)
        stretches = padded.unfold(1, step + width - 1, step).reshape(n * self.bins, -1)
        weight: Tensor = self.motifs
        if self.both_strands:
            weight = torch.cat([weight, weight.flip(1, 2)])
        maxima = conv_maxpool(stretches.contiguous(), weight)[0].view(n, self.bins, -1)
        if self.both_strands:
            maxima = torch.maximum(*maxima.chunk(2, dim=2))
        return maxima.transpose(1, 2)

    def forward(self, codes: Tensor, draws: Draws | None = None) -> Tensor:
        """Predict a batch.

        Parameters
        ----------
        codes
            uint8 ``(batch, length)``.
        draws
            Of dropout; without them nothing is dropped.

        Returns
        -------
        ``(batch, targets)``.
        """
        x = F.relu(self.norm(self.matches(codes))).flatten(1)
        x = drop(x, self.dropout, draws)
        x = F.relu(self.hidden(x))
        return self.head(drop(x, self.dropout / 2, draws))
