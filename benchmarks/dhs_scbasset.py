"""Train scBasset on DNase sites of two cell lines as if they were two cells; score chromosome 2.

It tells whether the trunk learns real sequence. Killed, it goes on from its last epoch.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

import numpy as np
from defaults import settings_of
from scipy import sparse

from cisgrammar.common.files import write_table
from cisgrammar.common.statistics import auroc
from cisgrammar.common.threads import set_threads
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.data.folds import TEST, rows_of
from cisgrammar.data.given import read_given
from cisgrammar.data.split import Split, read_codes
from cisgrammar.models.checkpoints import build_model, save_model
from cisgrammar.models.prediction import predict
from cisgrammar.training.loop import Checkpoints, train

SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with sequences, targets and regions")
    parser.add_argument("out", type=Path, help="folder for history, model and checkpoints")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shrink", type=int, default=1, help="divide the numbers of filters")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    set_threads(arguments.threads)
    data, folder = arguments.data, arguments.out
    dataset = read_given(data / "sequences.fa.gz", data / "targets.tsv.gz", data / "regions.bed")
    dataset.X = sparse.csr_matrix(dataset.X)
    folds = split_folds(
        dataset.var, n_folds=1, validation=0.2, by="chromosome", seed=SEED,
        test_chromosomes=["chr2"], validation_chromosomes=["chr3", "chr4"],
    )  # fmt: skip
    settings = settings_of("scbasset")
    settings |= {
        "length": dataset.varm["codes"].shape[1],
        "precision": arguments.precision,
        "augment_per_sequence": True,
    }
    for key in ("stem_filters", "last_filters"):
        settings[key] //= arguments.shrink
    settings["tower_filters"] = [n // arguments.shrink for n in settings["tower_filters"]]
    model = build_model("scbasset", dataset.n_obs, settings, {}, SEED)
    started = time.perf_counter()
    history = train(
        model, Split.of_fold(dataset, folds, 0), learning_rate=arguments.learning_rate,
        batch_size=128, epochs=arguments.epochs, patience=None, seed=SEED,
        checkpoints=Checkpoints(folder / "checkpoint.pt", every=1),
        on_epoch=lambda epoch, loss: print(
            f"epoch {epoch}: {time.perf_counter() - started:.0f} s, validation loss {loss:.4f}",
            flush=True,
        ),
    )  # fmt: skip
    test = rows_of(folds, 0, TEST)
    logits = predict(model, read_codes(dataset[:, test])).numpy()
    areas = auroc(dataset.X.T.toarray()[test], logits)
    write_table(history, folder / "history.tsv")
    save_model(model, folder / "model.pt")
    print(history.to_string())
    print(f"AUROC on chr2: {np.mean(areas):.4f} ({len(test)} sites)")


if __name__ == "__main__":
    main()
