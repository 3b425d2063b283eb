"""Print a table of every model and simple method on several data sets, for docs/methods.md.

    python benchmarks/across_data.py NAME [NAME ...] [--results results]

Reads what runs left: the folds' scores of models and simple methods, the noise ceiling, and the
costs below `benchmarks/results/NAME`. Scores are means over folds. Differences of the best model
from the best simple method have 95% bootstrap intervals, over folds; where there is one fold, the
simple method is fitted again and the test sequences are drawn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import read_h5ad

from cisgrammar.common.files import read_table
from cisgrammar.evaluate.baselines import FoldData, predict
from cisgrammar.evaluate.comparison import paired_differences
from cisgrammar.evaluate.scores import scores
from cisgrammar.models.registry import MODELS, models_with

SCORES = {"r2": "R²", "doubly_centred_r": "r, doubly centred", "mean_auroc": "AUROC"}
DRAWS = 1000
COSTS = ("tune_model", "train_model")


def main() -> None:
    """Print one table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+")
    parser.add_argument("--results", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    for name in arguments.names:
        print(f"\n**{name}**\n")
        show(arguments.results / name, Path("benchmarks") / arguments.results / name)


def show(folder: Path, costs: Path) -> None:
    """Print a data set's table, and what the best model adds to the best simple method."""
    table = read_scores(folder)
    models = [name for name in table["method"].unique() if name in MODELS]
    shown = [score for score in SCORES if score in table and table[score].notna().any()]
    means = table.groupby("method", sort=False)[shown].mean()
    seconds = read_seconds(costs)
    print("| method | " + " | ".join(SCORES[s] for s in shown) + " | seconds a fold |")
    print("| --- |" + " --- |" * (len(shown) + 1))
    for method, row in means.iterrows():
        values = " | ".join(f"{value:.3f}" for value in row)
        print(f"| {method} | {values} | {seconds.get(method, float('nan')):.0f} |")
    print(f"\nCeiling: {ceiling(folder)}.\n")
    simple = means.drop(models)
    for score in shown:
        model, method = means.loc[models, score].idxmax(), simple[score].idxmax()
        low, high, difference = interval(folder, table, score, model, method)
        print(
            f"{SCORES[score]}: {model} {means.loc[model, score]:.3f}, best simple method {method} "
            f"{means.loc[method, score]:.3f}, difference {difference:.3f} ({low:.3f} to {high:.3f})"
        )


def read_scores(folder: Path) -> pd.DataFrame:
    """Stack the scores of models and simple methods, fold by fold."""
    tables = [read_table(path) for path in sorted(folder.glob("baselines/fold*/scores.tsv"))]
    for name in models_with("dense_targets"):
        paths = sorted(folder.glob(f"{name}/fold*/evaluation.tsv"))
        tables += [read_table(path).assign(method=name) for path in paths]
    return pd.concat(tables, ignore_index=True).astype({"fold": int})


def read_seconds(costs: Path) -> dict[str, float]:
    """Give the seconds of a fold: of a model's search and training, or of a simple method."""
    seconds: dict[str, list[float]] = {}
    for path in costs.glob("baselines.fold*.costs.tsv"):
        for _, row in read_table(path).iterrows():
            seconds.setdefault(row["method"], []).append(row["seconds"])
    found = {method: float(np.mean(values)) for method, values in seconds.items()}
    for name in MODELS:
        parts = [list(costs.glob(f"{part}.{name}.fold*.costs.tsv")) for part in COSTS]
        if all(parts):
            found[name] = sum(
                float(np.mean([read_table(path)["seconds"].sum() for path in paths]))
                for paths in parts
            )
    return found


def ceiling(folder: Path) -> str:
    """Say what noise leaves to be explained, or what the truth of a simulation says of it."""
    path = folder / "noise_ceiling.tsv"
    if not path.exists():
        return "not estimated"
    row = read_table(path).iloc[0]
    named = {score: row[score] for score in SCORES if score in row.index}
    return ", ".join(f"{SCORES[score]} {value:.3f}" for score, value in named.items())


def interval(
    folder: Path, table: pd.DataFrame, score: str, model: str, method: str
) -> tuple[float, float, float]:
    """Give the bounds of the difference between a model and a method, and the difference."""
    if len(table[table["method"] == model]) > 1:
        differences = paired_differences(table, model, seed=1, score=score).set_index("method")
        low, high, difference = differences.loc[method, ["low", "high", "difference"]]
        return float(low), float(high), float(difference)
    dataset, folds = read_h5ad(folder / "dataset.h5ad"), read_table(folder / "folds.tsv")
    data = FoldData.of_fold(dataset, folds, 0)
    observed = data.targets[data.test]
    ours = read_h5ad(folder / model / "fold0" / "predictions.h5ad").X.T
    theirs = predict(method, data)
    rng = np.random.default_rng(1)
    draws = rng.integers(0, len(observed), (DRAWS, len(observed)))
    drawn = [
        scores(observed[rows], ours[rows])[score] - scores(observed[rows], theirs[rows])[score]
        for rows in draws
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high), scores(observed, ours)[score] - scores(observed, theirs)[score]


if __name__ == "__main__":
    main()
