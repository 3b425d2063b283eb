"""Ridge regression on k-mers, as a part of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from cisgrammar.data.split import Split
from cisgrammar.models.kmer_features import KmerFeatures
from cisgrammar.models.linear_path import LinearPath, validated_penalty


class KmerRegression(nn.Module):
    """Weights of k-mers, fitted in closed form; nothing in it is trained by steps.

    Parameters
    ----------
    n_targets
        Outputs.
    blocks, both_strands
        The k-mers: see :class:`~cisgrammar.models.kmer_features.KmerFeatures`. Without a block
        all outputs are 0.
    """

    coefficients: Tensor  # (k-mers, targets), per log(1 + count)
    intercepts: Tensor  # (targets,)

    def __init__(
        self, n_targets: int, blocks: Sequence[Sequence[int]] = (), both_strands: bool = True
    ) -> None:
        super().__init__()
        self.features = KmerFeatures(tuple((int(k), int(n)) for k, n in blocks), both_strands)
        self.register_buffer("coefficients", torch.zeros(self.features.n_columns, n_targets))
        self.register_buffer("intercepts", torch.zeros(n_targets))

    def sizes(self) -> dict[str, Any]:
        """Describe the k-mers by numbers, text and lists."""
        blocks = [list(block) for block in self.features.blocks]
        return {"blocks": blocks, "both_strands": self.features.both_strands}

    def fit(self, split: Split, targets: Tensor) -> None:
        """Fit the training part, with the penalty that predicts the validation part best.

        Parameters
        ----------
        split
            Sequences and parts.
        targets
            ``(sequences, targets)``.
        """
        codes, y = split.inputs.codes.cpu().numpy(), targets.cpu().numpy()
        train, validation = split.train.cpu().numpy(), split.validation.cpu().numpy()
        with threadpool_limits(1):  # BLAS adds in another order on another number of threads
            path = LinearPath(self.features.of(codes[train]), y[train])
            others = self.features.of(codes[validation])
            penalty, _ = validated_penalty(path, others, y[validation])
            coefficients, intercepts = path.coefficients(penalty)
        self.coefficients.copy_(torch.from_numpy(coefficients))
        self.intercepts.copy_(torch.from_numpy(intercepts))

    def forward(self, codes: Tensor) -> Tensor:
        """Predict from codes, uint8 ``(batch, length)``: ``(batch, targets)``."""
        if not self.features.blocks:
            return self.intercepts.expand(len(codes), -1)
        counts = self.features.of(codes.cpu().numpy())
        predicted = np.asarray(counts @ self.coefficients.cpu().numpy())
        return torch.from_numpy(predicted).to(codes.device) + self.intercepts
