"""Scores of ablations beside those of the whole model."""

from __future__ import annotations

import pandas as pd

WHOLE = "whole model"


def join_ablations(ablations: pd.DataFrame, scores: pd.DataFrame, model: str) -> pd.DataFrame:
    """Put the whole model's scores before those of its ablations, and the difference beside them.

    Parameters
    ----------
    ablations
        Rows of :func:`cisgrammar.evaluate.population_ablations.score_ablation`.
    scores
        population_scores.tsv.
    model
        The model's name.

    Returns
    -------
    The columns of ``ablations`` and ``lost``: r of the whole model, of the same
    population and fold, minus that of the ablation.
    """
    own = scores[(scores["method"] == model) & (scores["genes"] == "all")].assign(ablation=WHOLE)
    table = pd.concat([own[ablations.columns], ablations], ignore_index=True)
    place = ["population", "fold"]
    whole = own.set_index(place)["r"]
    lost = whole.reindex(pd.MultiIndex.from_frame(table[place])).to_numpy() - table["r"].to_numpy()
    return table.assign(lost=lost)
