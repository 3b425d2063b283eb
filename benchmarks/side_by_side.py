"""Training several models one by one against one wider convolution with batched heads."""

from __future__ import annotations

import measure
import torch
import torch.nn.functional as F
from networks import LENGTH, Fast, Published, Step, random_data
from torch import Tensor, nn

from cisgrammar.models.kernels.conv_maxpool import conv_maxpool_side_by_side

MODELS = 4


class Stack(nn.Module):
    """Several networks over the same sequences."""

    def __init__(self, networks: list[Fast]) -> None:
        super().__init__()
        self.weights = nn.ParameterList([n.motifs.weight.detach().clone() for n in networks])
        self.heads = nn.Parameter(torch.stack([n.head.weight.detach().T for n in networks]))
        self.biases = nn.Parameter(torch.stack([n.head.bias.detach()[None] for n in networks]))

    def forward(self, codes: Tensor) -> Tensor:
        """Predict: codes ``(batch, length)`` to ``(models, batch, targets)``."""
        maxima = torch.stack(conv_maxpool_side_by_side(codes, list(self.weights)))[..., 0]
        return torch.baddbmm(self.biases, F.elu(maxima), self.heads)


def run(threads: list[int], runs: int = 7) -> list[dict[str, object]]:
    table = []
    for batch in (64, 256):
        codes, targets = random_data(batch, LENGTH)
        networks = [Fast(Published(LENGTH)) for _ in range(MODELS)]
        stack = Step(Stack(networks), codes, targets.expand(MODELS, -1, -1), fused=True)
        steps = [Step(network, codes, targets, fused=True) for network in networks]
        for n_threads in threads:
            measure.set_threads(n_threads)
            tasks = {"one by one": lambda s=steps: [step() for step in s], "stacked": stack}
            seconds = measure.alternate(tasks, runs)
            size = f"{MODELS} models, B {batch}, L {LENGTH}"
            table += measure.rows("side by side", size, n_threads, seconds, reference="one by one")
    return table


if __name__ == "__main__":
    print(measure.layout(run([1, 2])))
