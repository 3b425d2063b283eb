"""One fold's whole search at kidney scale on simulated sequences: 100 trials of 40 epochs, ASHA."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import measure
import torch
from epoch import SEQUENCES, kidney_split
from networks import FILTERS, TARGETS, WIDTH

from cisgrammar.data.split import Split
from cisgrammar.models.kernels.conv_maxpool import conv_maxpool
from cisgrammar.training.tuning import tune

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


def simulated_split(sequences: int) -> Split:
    """Make targets that a few motifs drive, each by its own effect on each pool, plus noise."""
    split = kidney_split(sequences)
    generator = torch.Generator().manual_seed(1)
    motifs = torch.randn(PLANTED, 4, WIDTH, generator=generator).to(split.device)
    maxima = conv_maxpool(split.inputs.codes, motifs).maxima[..., 0]
    scores = (maxima - maxima.mean(dim=0)) / maxima.std(dim=0)
    effects = torch.randn(PLANTED, TARGETS, generator=generator).to(scores.device) / PLANTED**0.5
    noise = torch.randn(sequences, TARGETS, generator=generator).to(scores.device)
    targets = 2 + 0.5 * scores @ effects + noise
    return Split(split.inputs, targets, split.train, split.validation)


def run(threads: int, trials: int, epochs: int, sequences: int) -> list[dict[str, object]]:
    measure.set_threads(threads)
    split = simulated_split(sequences)
    options = {"trials": trials, "epochs": epochs, "grace": 1, "reduction": 2, "seed": 0}
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.log"
        tables = []

        def search() -> None:
            tables.append(tune("scover", split, SETTINGS, journal=journal, **options)[1])

        seconds = {"whole search": [measure.timed(search)]}
    found = tables[0]
    pruned = (found["state"] == "pruned").sum()
    size = f"{trials} trials of {epochs} epochs, {len(split.train)} sequences"
    table = measure.rows("search of one fold", size, threads, seconds)
    counts = {
        "trials pruned": [float(pruned)],
        "epochs run": [float(found["epochs"].sum())],
        "best loss": [float(found["loss"].min())],
    }
    return table + measure.rows("search of one fold", size, threads, counts, unit="")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--sequences", type=int, default=SEQUENCES)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    sizes = (arguments.trials, arguments.epochs, arguments.sequences)
    table = run(arguments.threads, *sizes)
    print(measure.layout(table))
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        figures = {"machine": measure.machine(), "table": table}
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
