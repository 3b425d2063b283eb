"""One epoch of scXpresso at the published size beside plain layers of PyTorch, in one run.

Mouse as published: 20,467 genes in 20 folds, 1,000 genes that validate, 10,500 bases, 5 features,
20 populations, batches of 128. Ours is trained for one whole epoch, validation included. Of the
plain layers, which are fed with one-hot that is made beforehand, single steps and passes over a
batch for validation are timed, and counted as often as an epoch has them. On one thread processor
time is taken, on several wall time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import measure
import torch
from defaults import settings_of
from torch import Tensor, nn
from torch.nn import functional as F

from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.checkpoints import build_model
from cisgrammar.training.loop import train

LENGTH, FEATURES, POPULATIONS, BATCH = 10_500, 5, 20, 128
GENES, FOLDS, VALIDATION = 20_467, 20, 1000


def run(threads: list[int], runs: int = 3, genes: int = GENES) -> list[dict[str, object]]:
    split, few = mouse_split(genes), mouse_split(2 * BATCH)
    table, reference = [], "plain layers, from single steps"
    for n_threads in threads:
        measure.set_threads(n_threads)
        plain = PlainStep()
        for warm_up in (lambda: one_epoch(few), plain.train, plain.validate):
            warm_up()
        seconds: dict[str, list[float]] = {"cisgrammar": [], reference: []}
        steps, passes = (len(part) / BATCH for part in (split.train, split.validation))
        for _ in range(runs):
            seconds["cisgrammar"].append(timed(lambda: one_epoch(split), n_threads))
            step, validation = (timed(task, n_threads) for task in (plain.train, plain.validate))
            seconds[reference].append(step * steps + validation * passes)
        size = f"{len(split.train)} + {len(split.validation)} genes, B {BATCH}, L {LENGTH}"
        table += measure.rows("scXpresso epoch", size, n_threads, seconds, reference=reference)
    return table


def timed(task: Callable[[], object], threads: int) -> float:
    """Seconds of a task: on one thread of the processor, which other jobs change little."""
    now = time.process_time if threads == 1 else time.perf_counter
    started = now()
    task()
    return now() - started


def mouse_split(genes: int) -> Split:
    """Draw random data of one fold of the published size."""
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(4, (genes, LENGTH), generator=generator, dtype=torch.uint8)
    features = torch.randn(genes, FEATURES, generator=generator)
    targets = torch.randn(genes, POPULATIONS, generator=generator)
    rows = torch.arange(genes - genes // FOLDS)
    n_validation = min(VALIDATION, genes // FOLDS)
    return Split(
        Inputs(codes, features=features), targets, rows[n_validation:], rows[:n_validation]
    )


def one_epoch(split: Split) -> None:
    sizes = {
        "length": LENGTH,
        "n_features": FEATURES,
        "flagged": [],
        "groups": {"subclass": range(POPULATIONS)},
    }
    model = build_model("scxpresso", POPULATIONS, settings_of("scxpresso") | sizes, {}, 1)
    model.prepare(split)
    options = {"learning_rate": 5e-4, "batch_size": BATCH, "epochs": 1, "patience": None}
    train(model, split, **options, seed=0)


class Plain(nn.Module):
    """The published layers."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv1d(4, 128, 6, padding=2), nn.ReLU(), nn.MaxPool1d(30, padding=1),
            nn.Conv1d(128, 32, 9, padding=4), nn.ReLU(), nn.MaxPool1d(10), nn.Flatten(),
        )  # fmt: skip
        self.rest = nn.Sequential(
            nn.Linear(1120 + FEATURES, 64), nn.ReLU(), nn.Dropout(0.00099),
            nn.Linear(64, POPULATIONS),
        )  # fmt: skip

    def forward(self, one_hot: Tensor, features: Tensor) -> Tensor:
        """Predict a batch."""
        return self.rest(torch.cat([self.convolutions(one_hot), features], dim=1))


class PlainStep:
    """What one batch takes."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        codes = torch.randint(4, (BATCH, LENGTH), generator=generator)
        self.one_hot = torch.eye(4)[codes].transpose(1, 2).contiguous()
        self.features = torch.randn(BATCH, FEATURES, generator=generator)
        self.targets = torch.randn(BATCH, POPULATIONS, generator=generator)
        self.model = Plain()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=5e-4)

    def train(self) -> None:
        """Take a step."""
        self.model.train()
        self.optimizer.zero_grad()
        F.mse_loss(self.model(self.one_hot, self.features), self.targets).backward()
        self.optimizer.step()

    @torch.no_grad()
    def validate(self) -> None:
        """Measure the loss."""
        self.model.eval()
        F.mse_loss(self.model(self.one_hot, self.features), self.targets)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--genes", type=int, default=GENES)
    arguments = parser.parse_args()
    print(measure.layout(run(arguments.threads, arguments.runs, arguments.genes)))
