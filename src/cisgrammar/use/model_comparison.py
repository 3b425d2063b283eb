"""All models of a data set on the same ground: cell types x sequences that none of them saw."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import TEST, rows_of
from cisgrammar.evaluate import baselines
from cisgrammar.evaluate.type_scores import score_types
from cisgrammar.use.trained import Trained

logger = logging.getLogger(__name__)
LEAST = 3  # sequences, below which there is no r to speak of
PER = 10_000  # counts to which those of a cell type are scaled
BASELINE = "kmer_ridge"
COLUMNS = [
    *("sequences", "score", "model", "value", "low", "high"),
    *("behind", "behind_low", "behind_high", "n_sequences", "n_cell_types", "note"),
]


def means_of_types(cells: AnnData) -> pd.DataFrame:
    """Give log10(1 + counts per 10,000) of the cells of each type, added up.

    Parameters
    ----------
    cells
        Raw counts, cells x genes or peaks; obs ``cell_type``.

    Returns
    -------
    Genes or peaks x cell types, float64.
    """
    types = pd.Categorical(cells.obs["cell_type"].astype(str))
    rows = [np.asarray(cells.X[types == name].sum(axis=0)).ravel() for name in types.categories]
    counts = np.stack(rows, axis=1).astype(np.float64)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    return pd.DataFrame(np.log10(1 + PER * shares), cells.var_names, list(types.categories))


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
        codes = np.asarray(trained.dataset.varm["codes"])[rows]
        values = trained.predicted(fold, codes, labels, rows)
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
            first = of_kind[next(iter(found))]
            if BASELINE in settings["baselines"]:
                found[BASELINE] = _kmer_ridge(first, observed, settings, seed)
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
    trained: Trained, observed: pd.DataFrame, settings: Mapping[str, Any], seed: int
) -> pd.DataFrame:
    """Fit k-mer ridge to the cell types themselves, in the folds of a model."""
    dataset = trained.dataset
    targets = observed.loc[dataset.var_names].to_numpy(np.float32).T
    of_types = AnnData(
        targets, var=pd.DataFrame(index=dataset.var_names), varm={"codes": dataset.varm["codes"]}
    )
    parts = []
    for fold in trained.models:
        fold_seed = derive_seed(seed, "baselines", fold)
        data = baselines.FoldData.of_fold(of_types, trained.folds, fold, seed=fold_seed)
        options = baselines.options_of(BASELINE, settings)
        predicted = baselines.predict(BASELINE, data, **options)
        parts.append(pd.DataFrame(predicted, dataset.var_names[data.test], observed.columns))
    return pd.concat(parts)
