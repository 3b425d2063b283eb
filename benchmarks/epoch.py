"""One epoch of one fold at kidney scale: training, then the validation loss."""

from __future__ import annotations

import measure
import torch
from networks import FILTERS, LENGTH, TARGETS, WIDTH, Published, Step, random_data, spell_out

from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.scover import Scover
from cisgrammar.training.loop import train

SEQUENCES = 18_150  # Hepkema et al. (2023), kidney; nine tenths of them, split 80 to 20
BATCH = 128


def run(threads: list[int], runs: int = 3) -> list[dict[str, object]]:
    split = kidney_split()
    table = []
    for n_threads in threads:
        measure.set_threads(n_threads)
        seconds = measure.alternate({"cisgrammar": lambda: one_epoch(split)}, runs)
        seconds["published layers, from single steps"] = published_epoch(split, runs)
        size = f"{len(split.train)} + {len(split.validation)} sequences, B {BATCH}, L {LENGTH}"
        reference = "published layers, from single steps"
        table += measure.rows("epoch", size, n_threads, seconds, reference=reference)
    return table


def kidney_split(sequences: int = SEQUENCES, fold: int = 0, length: int = LENGTH) -> Split:
    """Make random data of the kidney's size, training and validation part of one of ten folds."""
    codes, targets = random_data(sequences, length)
    tested = sequences // 10
    order = torch.arange(sequences, device=codes.device).roll(-fold * tested)
    validated = (sequences - tested) // 5
    validation, training = order[tested : tested + validated], order[tested + validated :]
    return Split(Inputs(codes), targets, training, validation)


def one_epoch(split: Split) -> None:
    model = Scover(TARGETS, FILTERS, WIDTH).to(split.device)
    options = {"learning_rate": 1e-3, "batch_size": BATCH, "epochs": 1, "patience": None}
    train(model, split, **options, seed=0)


def published_epoch(split: Split, runs: int) -> list[float]:
    """Time single steps, and forward passes for the validation part; an epoch has many alike."""
    codes, targets = random_data(BATCH, LENGTH)
    step = Step(Published(LENGTH), spell_out(codes), targets, fused=False)
    seconds = measure.alternate({"step": step, "loss": step.validate}, runs)
    steps = [len(part) / BATCH for part in (split.train, split.validation)]
    return [a * steps[0] + b * steps[1] for a, b in zip(*seconds.values(), strict=True)]


if __name__ == "__main__":
    print(measure.layout(run([1, 2])))
