"""What training draws at random: numbers of the CPU, the same on whatever device they are used."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class Draws:
    """Random numbers for training steps.

    Parameters
    ----------
    generator
        On the CPU.
    device
        Where the numbers are used.
    """

    def __init__(self, generator: torch.Generator, device: torch.device | str = "cpu") -> None:
        self.generator, self.device = generator, torch.device(device)

    def uniform(self, *shape: int) -> Tensor:
        """Draw from 0 to 1: float32."""
        return self._drawn(lambda: torch.rand(shape, generator=self.generator))

    def integers(self, low: int, high: int, n: int) -> Tensor:
        """Draw ``n`` from ``low`` to ``high``, that included: int64."""
        return self._drawn(lambda: torch.randint(low, high + 1, (n,), generator=self.generator))

    def _drawn(self, draw: Callable[[], Tensor]) -> Tensor:
        return draw().to(self.device)


class KeptDraws(Draws):
    """Draws of steps that are all alike, each number in the place where it stood before.

    A step that is kept as a CUDA graph reads the same memory whenever it is played. :meth:`begin`
    draws anew what the steps before drew, in their order, so that the step itself draws nothing.
    """

    def __init__(self, generator: torch.Generator, device: torch.device | str = "cpu") -> None:
        super().__init__(generator, device)
        self._kept: list[tuple[Callable[[], Tensor], Tensor]] = []
        self._used = 0

    def begin(self) -> None:
        """Draw the numbers of the next step."""
        for draw, place in self._kept:
            place.copy_(draw())
        self.again()

    def again(self) -> None:
        """Give the numbers of this step once more, from its beginning."""
        self._used = 0

    def _drawn(self, draw: Callable[[], Tensor]) -> Tensor:
        if self._used == len(self._kept):
            self._kept.append((draw, super()._drawn(draw)))
        self._used += 1
        return self._kept[self._used - 1][1]


def drop(x: Tensor, share: float, draws: Draws | None) -> Tensor:
    """Leave out a share of the values, the others scaled up; nothing without draws."""
    if draws is None or share == 0:
        return x
    return x * (draws.uniform(*x.shape) >= share) / (1 - share)
