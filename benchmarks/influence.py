"""Influence of all filters at once against leaving them out one at a time."""

from __future__ import annotations

import measure
import torch
from networks import FILTERS, LENGTH, TARGETS, WIDTH, Published, random_data, spell_out
from torch import Tensor

from cisgrammar.models.scover import Scover

SEQUENCES = 3_267  # the validation part of one of the kidney's folds
CHUNK = 64  # sequences at a time through the published layers


def run(threads: list[int], runs: int = 3, sequences: int = SEQUENCES) -> list[dict[str, object]]:
    codes, _ = random_data(sequences, LENGTH)
    published = Published(LENGTH).to(codes.device)
    model = Scover(TARGETS, FILTERS, WIDTH).to(codes.device)
    published.copy_to(model.motifs, model.head)
    table = []
    for n_threads in threads:
        measure.set_threads(n_threads)
        seconds = measure.alternate({"cisgrammar": lambda: model.influence_and_effect(codes)}, runs)
        loop, difference = leave_one_out(published, model, codes)
        seconds |= loop
        size = f"{sequences} sequences, L {LENGTH}, {len(model.motifs.weight)} filters"
        reference = "leave-one-out, all layers again"
        table += measure.rows("influence", size, n_threads, seconds, reference=reference)
        table += measure.rows(
            "influence", size, n_threads, {"largest difference": [difference]}, unit="of largest"
        )
    return table


@torch.no_grad()
def leave_one_out(
    published: Published, model: Scover, codes: Tensor, tried: int = 20
) -> tuple[dict[str, list[float]], float]:
    """Leave out some filters, one at a time, and scale the time up to all of them.

    Returns
    -------
    seconds
        Of the loop with the published layers run again for each filter (one of `tried` passes, on
        one chunk of sequences), and of the loop that keeps the activations and runs the head again.
    difference
        Largest difference of the influence, in units of the largest influence.
    """
    one_hot = spell_out(codes[:CHUNK])
    n_filters = len(model.motifs.weight)
    forward = measure.timed(lambda: published(one_hot)) * len(codes) / CHUNK
    activations = model.activations(codes)[..., 0]
    full = model.head(activations)
    exact = model.influence_and_effect(codes)[0][:, 0]  # (filters, targets)
    difference = 0.0

    def without(filters: range) -> None:
        nonlocal difference
        for i in filters:
            left = activations.clone()
            left[:, i] = 0
            lost = (full - model.head(left)).mean(dim=0)
            difference = max(difference, (lost - exact[i]).abs().max().item())

    head = measure.timed(lambda: without(range(tried))) * n_filters / tried
    seconds = {
        "leave-one-out, all layers again": [forward * (n_filters + 1)],
        "leave-one-out, head again": [forward + head],
    }
    return seconds, difference / exact.abs().max().item()


if __name__ == "__main__":
    print(measure.layout(run([1, 2])))
