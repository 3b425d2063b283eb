"""One fold's whole search at kidney scale on simulated sequences: 100 trials of 40 epochs, ASHA.

With ``--warm-start N`` a second fold follows twice: searched for itself, and from the best N
settings of the first.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import measure
import torch
from epoch import SEQUENCES, kidney_split
from networks import FILTERS, LENGTH, TARGETS, WIDTH

from cisgrammar.common.files import write_table
from cisgrammar.data.split import Split
from cisgrammar.models.kernels.conv_maxpool import conv_maxpool
from cisgrammar.models.registry import MODELS
from cisgrammar.training.tuning import tune
from cisgrammar.training.warm_start import leading_trials

PLANTED = 12  # motifs that drive the simulated targets
SETTINGS = {
    "filters": FILTERS,
    "width": WIDTH,
    "search": {  # Hepkema et al. (2023), Methods
        "learning_rate": [5e-4, 5e-2],
        "sigma_motifs": [1e-7, 1e-3],
        "sigma_net": [1e-5, 1e-2],
        "batch_size": [64, 128, 256, 512],
    },
}


def simulated_split(sequences: int, fold: int = 0, length: int = LENGTH) -> Split:
    """Make targets that a few motifs drive, each by its own effect on each pool, plus noise."""
    split = kidney_split(sequences, fold, length)
    generator = torch.Generator().manual_seed(1)
    motifs = torch.randn(PLANTED, 4, WIDTH, generator=generator).to(split.device)
    maxima = conv_maxpool(split.inputs.codes, motifs).maxima[..., 0]
    scores = (maxima - maxima.mean(dim=0)) / maxima.std(dim=0)
    effects = torch.randn(PLANTED, TARGETS, generator=generator).to(scores.device) / PLANTED**0.5
    noise = torch.randn(sequences, TARGETS, generator=generator).to(scores.device)
    targets = 2 + 0.5 * scores @ effects + noise
    return Split(split.inputs, targets, split.train, split.validation)


def run(
    threads: int, trials: int, epochs: int, sequences: int, warm_start: int = 0,
    settings: dict[str, Any] = SETTINGS, length: int = LENGTH,
) -> list[dict[str, object]]:  # fmt: skip
    measure.set_threads(threads)
    options = {"trials": trials, "epochs": epochs, "grace": 1, "reduction": 2}
    size = f"{trials} trials of {epochs} epochs, {sequences * 9 // 10} sequences"
    table = []

    def search(what: str, fold: int, candidates: list[dict[str, Any]] | None = None) -> Path:
        split = simulated_split(sequences, fold, length)
        where, tried = Path(folder) / what, []

        def searched() -> None:
            own = {**options, "seed": fold, "journal": f"{where}.journal"}
            tried.append(tune("scover", split, settings, **own, candidates=candidates)[1])

        seconds = {"whole search": [measure.timed(searched)]}
        table.extend(measure.rows(what, size, threads, seconds))
        counts = {
            "trials pruned": [float((tried[0]["state"] == "pruned").sum())],
            "epochs run": [float(tried[0]["epochs"].sum())],
            "best loss": [float(tried[0]["loss"].min())],
        }
        table.extend(measure.rows(what, size, threads, counts, unit=""))
        write_table(tried[0], where)
        return where

    with tempfile.TemporaryDirectory() as folder:
        first = search("search of one fold", 0)
        if warm_start:
            search("second fold, for itself", 1)
            space = MODELS["scover"].load().search_space(settings)
            best = leading_trials(first, space, warm_start)
            search(f"second fold, from the first's best {warm_start}", 1, best)
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--sequences", type=int, default=SEQUENCES)
    parser.add_argument("--warm-start", type=int, default=0, metavar="N")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    sizes = (arguments.trials, arguments.epochs, arguments.sequences)
    table = run(arguments.threads, *sizes, arguments.warm_start)
    print(measure.layout(table))
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        figures = {"machine": measure.machine(), "table": table}
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
