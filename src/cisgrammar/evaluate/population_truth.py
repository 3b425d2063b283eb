"""Simulated populations: how near predictions come to what can be told, and where they gain."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.cells.populations import ALL_CELLS
from cisgrammar.common.statistics import pearson
from cisgrammar.evaluate.population_scores import tissue_of

ITS_OWN, OTHERS, NO_CLASS = "of its class", "of other classes", "of no class"


def tellable(expectation: AnnData, level: str, label: str) -> np.ndarray:
    """Average what features and motifs tell over a population's cell types: log10, ``(genes,)``.

    Parameters
    ----------
    expectation
        Cell types x genes; obs ``class`` and ``share``, layer ``predictable``.
    level, label
        Of the population: ``all_cells``, ``class`` or ``cell_type``.
    """
    types = of_population(expectation, level, label)
    share = expectation.obs["share"].to_numpy(dtype=float)[types]
    return np.log10(share @ np.asarray(expectation.layers["predictable"])[types] / share.sum())


def of_population(expectation: AnnData, level: str, label: str) -> np.ndarray:
    """Say which cell types are in a population, bool ``(cell types,)``."""
    if level == ALL_CELLS:
        return np.ones(expectation.n_obs, dtype=bool)
    named = expectation.obs["class"] if level == "class" else expectation.obs_names
    return np.asarray(named.astype(str) == label)


def compare_populations(
    dataset: AnnData, predictions: AnnData, genes: pd.DataFrame, expectation: AnnData
) -> pd.DataFrame:
    """Compare predictions with the truth: of all genes, and of those that bear motifs of a class.

    Parameters
    ----------
    dataset
        populations.h5ad.
    predictions
        Populations x genes that were held out.
    genes
        ``truth/genes.tsv``, indexed by gene: ``specific_to``, classes with ``;`` between them.
    expectation
        ``truth/expectation.h5ad``.

    Returns
    -------
    population, level, label, genes (``all``; those that bear a motif of the population's class;
    of other classes only; of none), n_genes, r, tissue_r, ceiling (r of what can be told at all),
    share (r as a share of it), gain (how much lower the mean squared error is than that of the
    tissue's model, as a share of the latter, each prediction shifted to the genes' mean).
    """
    names = predictions.var_names
    observed = np.asarray(dataset[:, names].X, dtype=np.float64)
    predicted = np.asarray(predictions.X, dtype=np.float64)
    truth, bears = expectation[:, names], genes.loc[names, "specific_to"].fillna("").astype(str)
    tops = dataset.obs_names.get_indexer(tissue_of(dataset.obs))
    rows = []
    for i, (name, row) in enumerate(dataset.obs.iterrows()):
        level, label = str(row["level"]), str(row["label"])
        types = of_population(truth, level, label)
        if not types.any():
            continue
        can_tell = tellable(truth, level, label)
        for group, chosen in _groups(bears, set(truth.obs["class"].astype(str)[types])).items():
            if chosen.sum() < 3:
                continue
            seen, own, tissue = (x[chosen] for x in (observed[i], predicted[i], predicted[tops[i]]))
            told = own, tissue, can_tell[chosen]
            r, tissue_r, ceiling = (float(pearson(seen, x)) for x in told)
            error, its_error = (float(np.var(seen - x)) for x in (own, tissue))
            gain = 1 - error / its_error if its_error > 0 else np.nan
            about = (name, level, label, group, int(chosen.sum()))
            rows.append((*about, r, tissue_r, ceiling, r / ceiling, gain))
    columns = ["population", "level", "label", "genes", "n_genes"]
    return pd.DataFrame(rows, columns=[*columns, "r", "tissue_r", "ceiling", "share", "gain"])


def _groups(bears: pd.Series, classes: set[str]) -> dict[str, np.ndarray]:
    """Part genes by the classes whose motifs they bear; one class makes a population specific."""
    groups = {"all": np.ones(len(bears), dtype=bool)}
    if len(classes) == 1:
        (its_class,) = classes
        own = np.array([its_class in text.split(";") for text in bears], dtype=bool)
        none = (bears == "").to_numpy()
        groups |= {ITS_OWN: own, OTHERS: ~own & ~none, NO_CLASS: none}
    return groups
