"""Training steps; on a GPU a step is recorded once and then played again.

A step of a small network is some hundred kernels of a few microseconds each. To start them one by
one takes the processor longer than the GPU needs to run them; a CUDA graph starts all at once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cisgrammar.data.draws import Draws, KeptDraws
from cisgrammar.data.split import Split
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.objectives import Objective

logger = logging.getLogger(__name__)

BEFORE = 2  # steps that are taken one kernel at a time, so that everything is compiled and chosen


class Steps:
    """Steps of several models on the same batches, each as if it were alone.

    Parameters
    ----------
    objective
        Of all models. If it is ``recordable``, steps on a GPU are recorded and played.
    split
        One fold's data.
    models, optimizers
        One optimizer for each model.
    generator
        What steps draw from.

    Attributes
    ----------
    total
        Each model's loss, summed over rows since it was last set to 0: float64 ``(models,)``.
    """

    def __init__(
        self,
        objective: Objective,
        split: Split,
        models: list[SequenceModel],
        optimizers: Sequence[torch.optim.Optimizer],
        generator: torch.Generator,
    ) -> None:
        self.objective, self.split, self.models = objective, split, models
        self.optimizers, self.generator = optimizers, generator
        self.total = torch.zeros(len(models), dtype=torch.float64, device=split.device)
        self._recorded = split.device.type == "cuda" and objective.recordable
        self._sizes: dict[int, _OfSize] = {}
        if self._recorded:
            self._stream = torch.cuda.Stream(split.device)

    def __call__(self, rows: Tensor) -> None:
        """Take a step on some sequences: int64 ``(batch,)``."""
        if not self._recorded:
            self._step(rows, Draws(self.generator, self.split.device))
            return
        size = self._sizes.setdefault(
            len(rows), _OfSize(rows.clone(), KeptDraws(self.generator, self.split.device))
        )
        size.rows.copy_(rows)
        size.draws.begin()
        if size.graph is None and size.taken == BEFORE:
            self._record(size)
        if size.graph is not None:
            size.graph.replay()
            return
        size.taken += 1
        size.draws.again()
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._step(size.rows, size.draws)
        torch.cuda.current_stream().wait_stream(self._stream)

    def _step(self, rows: Tensor, draws: Draws) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        losses = self.objective.losses(self.models, self.split, rows, draws)
        losses.sum().backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.total += losses.detach() * len(rows)

    def _record(self, size: _OfSize) -> None:
        # nothing that a step makes is read after it, so graphs of all sizes share their memory
        pool = next((other.graph.pool() for other in self._sizes.values() if other.graph), None)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, pool=pool, stream=self._stream):
                self._step(size.rows, size.draws)
        except RuntimeError as error:
            self._recorded = False  # nothing was computed: the step is still to be taken
            logger.warning("steps cannot be recorded, and are slower: %s", error)
        else:
            size.graph = graph


@dataclass
class _OfSize:
    """The steps on so many sequences: where rows and draws stand, and the step itself."""

    rows: Tensor
    draws: KeptDraws
    taken: int = 0
    graph: torch.cuda.CUDAGraph | None = None
