"""All models of a data set on the same ground: cell types x sequences that none of them saw."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import TEST, rows_of
from cisgrammar.evaluate import baselines
from cisgrammar.evaluate.type_scores import score_types
from cisgrammar.models.registry import MODELS, POOLS
from cisgrammar.use.trained import Trained

logger = logging.getLogger(__name__)
LEAST = 3  # sequences, below which there is no r to speak of
PER = 10_000  # counts to which those of a cell type are scaled where no model learned pools
BASELINE = "kmer_ridge"
COLUMNS = [
    *("sequences", "score", "model", "value", "low", "high"),
    *("behind", "behind_low", "behind_high", "n_sequences", "n_cell_types", "note"),
]


def means_of_types(cells: AnnData, models: Iterable[Trained] = ()) -> pd.DataFrame:
    """Give log10(1 + counts) of the cells of each type, added up and scaled to one depth.

    Parameters
    ----------
    cells
        Raw counts, cells x genes or peaks; obs ``cell_type``.
    models
        Where one of them learned pools of these cells, counts are scaled to the depth of a pool,
        so that the logarithm bends as much as it does in the pools; else to 10,000.

    Returns
    -------
    Genes or peaks x cell types, float64.
    """
    types = pd.Categorical(cells.obs["cell_type"].astype(str))
    rows = [np.asarray(cells.X[types == name].sum(axis=0)).ravel() for name in types.categories]
    counts = np.stack(rows, axis=1).astype(np.float64)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    found = pd.DataFrame(shares, cells.var_names, list(types.categories))
    return np.log10(1 + _depth(found, models) * found)


def _depth(shares: pd.DataFrame, models: Iterable[Trained]) -> float:
    """Give the counts of all genes in a pool, of the median depth, of the first model of pools."""
    for trained in models:
        names = trained.dataset.var_names
        if MODELS[trained.name].data is POOLS and names.isin(shares.index).all():
            pools = range(trained.dataset.n_obs)
            of_pools = [(10.0 ** np.asarray(trained.dataset.X[i], float) - 1).sum() for i in pools]
            if (its := shares.loc[names].sum().mean()) > 0:
                return float(np.median(of_pools) / its)
    return PER


def held_out_by_type(trained: Trained, types: Iterable[str]) -> pd.DataFrame:
    """Predict each sequence by the model that never saw it, averaged over the targets of a type.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    types
        Names of cell types. Where targets are populations, that of the last level which is
        called so is taken.

    Returns
    -------
    Sequences that some fold tested x those of the cell types that the model has.
    """

    def predict(fold: int, rows: np.ndarray, labels: pd.Series) -> np.ndarray:
        codes = np.asarray(trained.dataset.varm["codes"])[rows]
        return trained.predicted(fold, codes, labels, rows)

    return _by_type(trained, types, predict)


def _by_type(
    trained: Trained,
    types: Iterable[str],
    predict: Callable[[int, np.ndarray, pd.Series], np.ndarray],
) -> pd.DataFrame:
    """Put together what a model, or a method in its folds, predicts of test sequences by label."""
    wanted = list(types)
    obs = trained.dataset.obs
    if "cell_type" in obs:
        labels = obs["cell_type"].astype(str)
    else:
        labels = obs["label"].astype(str)
        labels = labels.where(~labels.duplicated(keep="last"), "")
    names = [name for name in pd.unique(labels) if name in wanted]
    parts = []
    for fold in trained.models if names else ():
        rows = rows_of(trained.folds, fold, TEST)
        values = predict(fold, rows, labels)
        table = pd.DataFrame(values, trained.dataset.var_names[rows], list(pd.unique(labels)))
        parts.append(table[names])
    if not parts:
        return pd.DataFrame()
    return pd.concat(parts)


def compare_models(
    models: Mapping[str, Trained],
    measured: Mapping[str, pd.DataFrame],
    settings: Mapping[str, Any],
    seed: int,
) -> pd.DataFrame:
    """Score all models that predict the same things, and k-mer ridge, in cell types.

    Parameters
    ----------
    models
        By name, in the order of the config.
    measured
        What sequences are (``genes``, ``peaks``) to :func:`means_of_types`.
    settings
        The section ``comparison``: whether ``baselines`` has kmer_ridge, and its keys.
    seed
        The config's.

    Returns
    -------
    sequences (genes or peaks), score, model, value, low, high, behind, behind_low, behind_high
    (see :func:`cisgrammar.evaluate.type_scores.score_types`), n_sequences, n_cell_types, note: why
    a model could not be compared.
    """
    tables = []
    for kind, observed in measured.items():
        of_kind = {
            name: trained
            for name, trained in models.items()
            if trained.dataset.var_names.isin(observed.index).all()
        }
        found = {name: held_out_by_type(trained, observed) for name, trained in of_kind.items()}
        notes = [
            (kind, name, "no target is called as a cell type")
            for name, table in found.items()
            if table.empty
        ]
        found = {name: table for name, table in found.items() if not table.empty}
        tables.append(pd.DataFrame(notes, columns=["sequences", "model", "note"]))
        if found:
            if BASELINE in settings["baselines"]:
                tested = [of_kind[name] for name in found]
                found[BASELINE] = _kmer_ridge(tested, observed, settings, seed)
            tables.append(_score(kind, observed, found, seed))
    return pd.concat(tables).reindex(columns=COLUMNS).reset_index(drop=True)


def _score(
    kind: str, observed: pd.DataFrame, found: Mapping[str, pd.DataFrame], seed: int
) -> pd.DataFrame:
    rows, types = observed.index, observed.columns
    for table in found.values():
        rows, types = rows[rows.isin(table.index)], types[types.isin(table.columns)]
    logger.info("%s: %d sequences and %d cell types in common", kind, len(rows), len(types))
    if len(rows) < LEAST or not len(types):
        note = f"{len(rows)} held-out sequences and {len(types)} cell types in common: too few"
        return pd.DataFrame({"sequences": kind, "model": list(found), "note": note})
    values = {name: table.loc[rows, types].to_numpy(float) for name, table in found.items()}
    scores = score_types(observed.loc[rows, types].to_numpy(float), values, seed=seed)
    return scores.assign(sequences=kind, n_sequences=len(rows), n_cell_types=len(types))


def _kmer_ridge(
    models: list[Trained], observed: pd.DataFrame, settings: Mapping[str, Any], seed: int
) -> pd.DataFrame:
    """Fit k-mer ridge to the pools that a model learned, in its folds; else to the cell types."""
    of_pools = [trained for trained in models if MODELS[trained.name].data is POOLS]
    trained = (of_pools or models)[0]
    learned = trained.dataset
    if of_pools:
        targets, obs = np.asarray(learned.X[:]), learned.obs
    else:
        targets = observed.loc[learned.var_names].to_numpy(np.float32).T
        obs = pd.DataFrame({"cell_type": observed.columns}, index=observed.columns)
    var, varm = pd.DataFrame(index=learned.var_names), {"codes": learned.varm["codes"]}
    dataset = AnnData(targets, obs, var, varm=varm)
    options = baselines.options_of(BASELINE, settings)

    def predict(fold: int, _: np.ndarray, labels: pd.Series) -> np.ndarray:
        fold_seed = derive_seed(seed, "baselines", fold)
        data = baselines.FoldData.of_fold(dataset, trained.folds, fold, seed=fold_seed)
        predicted = pd.DataFrame(baselines.predict(BASELINE, data, **options).T)
        return predicted.groupby(labels.to_numpy(), sort=False).mean().to_numpy().T

    return _by_type(replace(trained, dataset=dataset), observed, predict)
