"""Compare hybrid with simple methods where few genes are there to train on.

    python benchmarks/small_data.py NAME [--genes 800] [--folds 3] [--results results]

Reads `results/NAME/dataset.h5ad` and `folds.tsv`. In each fold so many training genes are drawn,
and the same share of the validation genes; test genes stay. hybrid has its default settings, but
its dropout is not searched: the higher value is taken. Scores are means over folds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from anndata import read_h5ad

from cisgrammar.checks.config import complete_config
from cisgrammar.common.config import read_schema
from cisgrammar.common.files import read_table
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION, rows_of
from cisgrammar.evaluate.baselines import FoldData
from cisgrammar.evaluate.baselines import predict as predict_simply
from cisgrammar.evaluate.scores import scores
from cisgrammar.models.prediction import predict
from cisgrammar.training.final_model import train_final

SIMPLE = ("gc", "kmer_ridge")
SHOWN = ["r2", "centred_r", "doubly_centred_r"]


def main() -> None:
    """Print the mean scores of each method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--genes", type=int, default=800)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    folder = arguments.results / arguments.name
    dataset, folds = read_h5ad(folder / "dataset.h5ad"), read_table(folder / "folds.tsv")
    rows = []
    for fold in range(arguments.folds):
        fewer = thinned(folds, fold, arguments.genes)
        data = FoldData.of_fold(dataset, fewer, fold)
        observed = data.targets[data.test]
        predicted = {method: predict_simply(method, data) for method in SIMPLE}
        predicted["hybrid"] = hybrid(dataset, fewer, fold)
        rows += [{"method": m, "fold": fold, **scores(observed, p)} for m, p in predicted.items()]
        print(pd.DataFrame(rows).groupby("method", sort=False)[SHOWN].mean().round(3), flush=True)


def thinned(folds: pd.DataFrame, fold: int, n_genes: int) -> pd.DataFrame:
    """Leave so many training genes in a fold, and the same share of its validation genes."""
    fewer, column = folds.copy(), f"fold{fold}"
    rng = np.random.default_rng(derive_seed(1, "small_data", fold))
    train = rows_of(folds, fold, TRAIN)
    share = min(n_genes / len(train), 1)
    for part in (TRAIN, VALIDATION):
        rows = rows_of(folds, fold, part)
        left_out = rng.choice(rows, len(rows) - round(share * len(rows)), replace=False)
        fewer.loc[left_out, column] = "unused"
    return fewer


def hybrid(dataset: object, folds: pd.DataFrame, fold: int) -> np.ndarray:
    """Train hybrid with its defaults, and predict the test genes."""
    schema = read_schema("workflow/schemas/config.schema.yaml")
    section = complete_config(yaml.safe_load("name: x"), schema)["hybrid"]
    best = {"learning_rate": 0.002, "batch_size": 64, "dropout": 0.5, "seed": 1, "order_seed": 2}
    settings = section["network"] | section["training"]
    model, _ = train_final(
        "hybrid", dataset, folds, fold, settings, best, section["training"], "cpu"
    )
    test = dataset[:, rows_of(folds, fold, TEST)]
    return predict(model, model.read_inputs(test)).numpy()


if __name__ == "__main__":
    main()
