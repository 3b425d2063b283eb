"""What fewer fragments do to scBasset."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.cells.components import log_pca
from cisgrammar.evaluate.embedding_metrics import compare_embeddings
from cisgrammar.evaluate.held_out import score_test_part
from cisgrammar.interpret.cell_embedding import KEY, cell_embedding
from cisgrammar.models.abilities import EmbedsCells

OF_EMBEDDING = ("ari", "cell_type_asw", "label_score_10", "label_score_50", "label_score_100")


def measure(
    model: EmbedsCells,
    dataset: AnnData,
    thinned: AnnData,
    folds: pd.DataFrame,
    fold: int,
    independent: np.ndarray | None,
    seed: int,
    of: str = "logits",
) -> pd.DataFrame:
    """Measure a model that was trained on a part of the open entries.

    Parameters
    ----------
    model
        Trained on ``thinned``.
    dataset
        All open entries: cells x peaks.
    thinned
        Those that were left.
    folds, fold
        folds.tsv, and the fold that the model was trained for.
    independent
        An embedding of the cells' RNA; None leaves out the neighbour scores.
    seed
        Of clustering.
    of
        As in :func:`cisgrammar.interpret.cell_embedding.cell_embedding`.

    Returns
    -------
    measure, value: ``open_share`` (of the entries, after thinning) and ``empty_cells``;
    ``auroc_per_cell`` and ``auroc_per_peak``, means over held-out peaks, against all open entries;
    of the embedding of the cells that are not empty, where these have types,
    :func:`cisgrammar.evaluate.embedding_metrics.compare_embeddings`.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "Performance evaluation on data dropout". Peaks are scored
    against what was measured in full, so that all depths have one yardstick.
    """
    per_cell, per_peak = score_test_part(model, dataset, folds, fold)
    filled = np.diff(thinned.X.indptr) > 0
    values = {
        "open_share": thinned.X.nnz / (thinned.n_obs * thinned.n_vars),
        "empty_cells": int((~filled).sum()),
        "auroc_per_cell": per_cell["auroc"].mean(),
        "auroc_per_peak": per_peak["auroc"].mean(),
    }
    labels = dataset.obs["cell_type"][filled].astype(str)
    if len(set(labels)) > 1:
        cells = cell_embedding(model, dataset.obs, dataset.varm["codes"], of)
        embedding = cells.obsm[KEY][filled]
        other = None if independent is None else independent[filled]
        metrics = compare_embeddings({"": embedding}, labels, independent=other, seed=seed).iloc[0]
        names = [*OF_EMBEDDING, *(name for name in metrics.index if name.startswith("neighbor"))]
        values |= {name: float(metrics[name]) for name in names if name in metrics}
    return pd.DataFrame({"measure": list(values), "value": list(values.values())})


def embed_expression(expression: AnnData | None, cells: pd.Index, seed: int) -> np.ndarray | None:
    """Embed the cells by their RNA, where it was measured: ``(cells, components)``."""
    if expression is None:
        return None
    chosen = expression[cells]
    return log_pca(chosen.X, min(50, *(n - 1 for n in chosen.shape)), seed)
