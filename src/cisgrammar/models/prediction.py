"""Predictions of trained models, batch by batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from cisgrammar.data.split import Inputs
from cisgrammar.models.abilities import EmbedsCells, HasFilters, HasMembers
from cisgrammar.models.base import Ensemble, SequenceModel

EVALUATION_BATCH = 1024
EMBEDDING_BATCH = 128
LEAST_FREEDOM = 1e-6  # of a spread over members: below it one member has all the weight


@torch.no_grad()
def predict(model: SequenceModel, inputs: Inputs) -> Tensor:
    """Predict in batches: ``(sequences, targets)``, on the inputs' device."""
    model.eval()
    return torch.cat([model(batch) for batch in inputs.batches(EVALUATION_BATCH)])


@torch.no_grad()
def predict_members(model: SequenceModel, inputs: Inputs) -> Tensor:
    """Predict in batches with each member, or the one: ``(members, sequences, targets)``."""
    if not isinstance(model, HasMembers):
        return predict(model, inputs)[None]
    model.eval()
    return torch.cat([model.predict_members(x) for x in inputs.batches(EVALUATION_BATCH)], dim=1)


@torch.no_grad()
def spread_of_members(model: SequenceModel, inputs: Inputs) -> Tensor | None:
    """Measure how far a model's members disagree.

    Returns
    -------
    The standard deviation over members, weighed as these are, ``(sequences, targets)``: NaN where
    one alone has a weight; None of a single model.
    """
    if not isinstance(model, HasMembers):
        return None
    each = predict_members(model, inputs)
    weights = weights_of_members(model, len(each)).to(each)[:, None]
    mean = (weights * each).sum(dim=0)
    variance = (weights * (each - mean).square()).sum(dim=0)
    freedom = 1 - weights.square().sum(dim=0)  # of n that weigh alike: (n - 1) / n
    freedom = torch.where(freedom > LEAST_FREEDOM, freedom, torch.nan)
    return (variance / freedom).sqrt() if len(each) > 1 else None


def weights_of_members(model: SequenceModel, n_members: int) -> Tensor:
    """Give the weight of each member in each target's average: ``(members, targets)``.

    The last axis is 1 where all targets have the same.
    """
    if isinstance(model, Ensemble):
        return model.weights
    return torch.full((n_members, 1), 1 / n_members)


@torch.no_grad()
def embed_sequences(model: EmbedsCells, codes: Tensor) -> Tensor:
    """Describe many sequences, batch by batch: ``(sequences, bottleneck)``, on the CPU."""
    if isinstance(model, torch.nn.Module):
        model.eval()
    device = model.head.weight.device
    batches = codes.split(EMBEDDING_BATCH)
    return torch.cat([model.embed(batch.to(device)).cpu() for batch in batches])


def scanner(model: HasFilters) -> Callable[[np.ndarray], np.ndarray]:
    """Give a function from codes ``(n, length)`` to the filters' maxima ``(n, filters)``."""

    def scan(codes: np.ndarray) -> np.ndarray:
        return torch.cat([maxima for maxima, *_ in model.scan(torch.from_numpy(codes))]).numpy()

    return scan
