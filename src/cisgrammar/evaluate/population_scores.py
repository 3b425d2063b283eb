"""How well populations are predicted, and what a specific model knows beyond one of the tissue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.common.statistics import pearson
from cisgrammar.evaluate.population_baselines import BASELINES

TISSUE = "tissue"  # the prediction of the coarser population that a population is part of
SUBSETS = ("all", "known_features", "expressed")
LEAST_GENES = 3
MOST_CROSSED = 60
MOST_PAIRED = 6


def gene_subsets(dataset: AnnData) -> dict[str, np.ndarray]:
    """Say which genes are scored apart, for each population: bool ``(populations, genes)``.

    ``known_features`` are genes whose features are all known; ``expressed`` those that have counts
    in the population. Both as populations.h5ad has them.
    """
    every = np.ones(dataset.shape, dtype=bool)
    known = ~np.isnan(np.asarray(dataset.varm["features"])).any(axis=1)
    expressed = np.asarray(dataset.layers["expressed"]).astype(bool)
    return {"all": every, "known_features": every & known, "expressed": expressed}


def tissue_of(populations: pd.DataFrame) -> pd.Series:
    """Give the coarsest population that each is part of; one of the coarsest level is its own.

    Parameters
    ----------
    populations
        obs of populations.h5ad: ``parent`` is the population of the level before, or empty.
    """
    parents = populations["parent"].astype(str)
    found = {}
    for name in populations.index:
        top = name
        while parents[top] in parents.index:
            top = parents[top]
        found[name] = top
    return pd.Series(found, dtype=object)


def score_predictions(
    dataset: AnnData, predictions: AnnData, model: str, baselines: Mapping[int, AnnData]
) -> pd.DataFrame:
    """Score each population in each fold, by the model, its tissue's model and the baselines.

    Parameters
    ----------
    dataset
        populations.h5ad.
    predictions
        Populations x genes, with ``var["fold"]``: the fold that tests a gene.
    model
        Its name.
    baselines
        Fold to what :func:`cisgrammar.evaluate.population_baselines.predict_baselines` gives.

    Returns
    -------
    method (the model, ``tissue``, and baselines), population, level, label, fold, genes (which
    of ``SUBSETS``), n_genes, r (Pearson's over these test genes).

    Notes
    -----
    Michielsen et al. (2024), Methods, "Evaluation": r over the test genes of a fold.
    """
    tissue, subsets, rows = tissue_of(dataset.obs), gene_subsets(dataset), []
    for fold, test in _folds(predictions):
        by_method = _by_method(test, predictions, model, baselines.get(fold))
        by_method[TISSUE] = by_method[model][dataset.obs_names.get_indexer(tissue)]
        observed, columns = _observed(dataset, test), dataset.var_names.get_indexer(test)
        for method, predicted in by_method.items():
            for subset, chosen in subsets.items():
                for i, (name, row) in enumerate(dataset.obs.iterrows()):
                    genes = chosen[i, columns]
                    r = _r(observed[i, genes], predicted[i, genes])
                    about = (method, name, row["level"], row["label"], fold)
                    rows.append((*about, subset, int(genes.sum()), r))
    columns_of = ["method", "population", "level", "label", "fold", "genes", "n_genes", "r"]
    return pd.DataFrame(rows, columns=columns_of)


def gains(dataset: AnnData, scores: pd.DataFrame, model: str) -> pd.DataFrame:
    """Hold what a population's own model gains over the tissue's against how alike the two are.

    Parameters
    ----------
    dataset
        populations.h5ad.
    scores
        As from :func:`score_predictions`.
    model
        Its name.

    Returns
    -------
    population, level, label, n_cells, tissue, similarity (r of the two's expression over all
    genes), r and tissue_r (medians over folds), gain. Populations that are part of none are left
    out.
    """
    every = scores[scores["genes"] == "all"]
    median = every.pivot_table("r", "population", "method", "median", dropna=False)
    observed = pd.DataFrame(np.asarray(dataset.X), index=dataset.obs_names)
    rows = []
    for name, top in tissue_of(dataset.obs).items():
        if top == name:
            continue
        of = dataset.obs.loc[name]
        own, tissue = median.loc[name, model], median.loc[name, TISSUE]
        alike = float(pearson(observed.loc[name].to_numpy(), observed.loc[top].to_numpy()))
        about = (name, of["level"], of["label"], of["n_cells"], top)
        rows.append((*about, alike, own, tissue, own - tissue))
    columns = ["population", "level", "label", "n_cells", "tissue"]
    return pd.DataFrame(rows, columns=[*columns, "similarity", "r", "tissue_r", "gain"])


def score_genes(dataset: AnnData, predictions: AnnData) -> pd.DataFrame:
    """Correlate prediction and observation of each gene over the populations of a level.

    Returns
    -------
    gene, gene_name, level, n_populations, variance (observed, over these), r. Levels with fewer
    than three populations are left out.

    Notes
    -----
    Michielsen et al. (2024), Results: r per gene against the gene's variance.
    """
    observed, tables = _observed(dataset, predictions.var_names), []
    predicted = np.asarray(predictions.X)
    for level in dataset.obs["level"].astype(str).unique():
        rows = (dataset.obs["level"] == level).to_numpy()
        if rows.sum() < LEAST_GENES:
            continue
        table = pd.DataFrame({"gene": predictions.var_names})
        table["gene_name"] = dataset.var["gene_name"].reindex(predictions.var_names).to_numpy()
        table["level"], table["n_populations"] = level, int(rows.sum())
        table["variance"] = observed[rows].var(axis=0, dtype=np.float64)
        table["r"] = pearson(observed[rows], predicted[rows], axis=0)
        tables.append(table)
    columns = ["gene", "gene_name", "level", "n_populations", "variance", "r"]
    return pd.concat(tables) if tables else pd.DataFrame(columns=columns)


def cross_scores(dataset: AnnData, predictions: AnnData) -> pd.DataFrame:
    """Score the model of each population on every population.

    Returns
    -------
    predicted_by, scored_on, r: median over folds of r over test genes. Of more than
    ``MOST_CROSSED`` populations only those with the most cells are crossed.
    """
    order = np.argsort(-dataset.obs["n_cells"].to_numpy(dtype=float), kind="stable")
    chosen = np.sort(order[:MOST_CROSSED])
    names, per_fold = dataset.obs_names[chosen], []
    for _, test in _folds(predictions):
        predicted = np.asarray(predictions[:, test].X, dtype=np.float64)[chosen]
        observed = _observed(dataset, test)[chosen]
        per_fold.append([[_r(seen, own) for seen in observed] for own in predicted])
    r = np.nanmedian(np.array(per_fold), axis=0)
    return pd.DataFrame(
        {
            "predicted_by": np.repeat(names, len(names)),
            "scored_on": np.tile(names, len(names)),
            "r": r.ravel(),
        }
    )


def difference_scores(
    dataset: AnnData, predictions: AnnData, model: str, baselines: Mapping[int, AnnData]
) -> pd.DataFrame:
    """Score predicted differences of two populations of one level, which level out what all share.

    Parameters
    ----------
    dataset, predictions, model, baselines
        As for :func:`score_predictions`.

    Returns
    -------
    method, first, second, level, fold, genes, n_genes, r: of ``first - second`` over test genes.
    Only levels of up to ``MOST_PAIRED`` populations are compared in pairs.
    """
    subsets, rows, pairs = gene_subsets(dataset), [], []
    for level in dataset.obs["level"].astype(str).unique():
        of_level = np.flatnonzero((dataset.obs["level"] == level).to_numpy())
        if len(of_level) <= MOST_PAIRED:
            pairs += [(level, *pair) for pair in combinations(of_level, 2)]
    for fold, test in _folds(predictions):
        by_method = _by_method(test, predictions, model, baselines.get(fold))
        observed, columns = _observed(dataset, test), dataset.var_names.get_indexer(test)
        for level, i, j in pairs:
            for subset, chosen in subsets.items():
                genes = chosen[i, columns] & chosen[j, columns]
                seen = (observed[i] - observed[j])[genes]
                for method, predicted in by_method.items():
                    r = _r(seen, (predicted[i] - predicted[j])[genes])
                    names = (dataset.obs_names[i], dataset.obs_names[j])
                    rows.append((method, *names, level, fold, subset, int(genes.sum()), r))
    columns_of = ["method", "first", "second", "level", "fold", "genes", "n_genes", "r"]
    return pd.DataFrame(rows, columns=columns_of)


def summarise(scores: pd.DataFrame) -> pd.DataFrame:
    """Take medians over folds, then over the populations of a level.

    Parameters
    ----------
    scores
        As from :func:`score_predictions`.

    Returns
    -------
    level, genes, method, n_populations, r (median), lowest, highest.
    """
    by = ["level", "genes", "method"]
    each = scores.groupby([*by, "population"], sort=False)["r"].median().reset_index()
    grouped = each.groupby(by, sort=False)["r"]
    table = grouped.agg(n_populations="size", r="median", lowest="min", highest="max")
    return table.reset_index()


def _folds(predictions: AnnData) -> Iterator[tuple[int, pd.Index]]:
    """Give folds and the names of the genes that they test."""
    folds = predictions.var["fold"].to_numpy(dtype=int)
    for fold in np.unique(folds):
        yield int(fold), predictions.var_names[folds == fold]


def _by_method(
    test: pd.Index, predictions: AnnData, model: str, baselines: AnnData | None
) -> dict[str, np.ndarray]:
    """Give predictions of some genes by the model, and by the baselines where there are any."""
    found = {model: np.asarray(predictions[:, test].X)}
    if baselines is not None:
        its = baselines[:, test]
        found |= {name: its.layers[name] for name in BASELINES if name in its.layers}
    return found


def _observed(dataset: AnnData, genes: pd.Index) -> np.ndarray:
    return np.asarray(dataset.X[:, dataset.var_names.get_indexer(genes)], dtype=np.float64)


def _r(observed: np.ndarray, predicted: np.ndarray) -> float:
    return float(pearson(observed, predicted)) if len(observed) >= LEAST_GENES else np.nan
