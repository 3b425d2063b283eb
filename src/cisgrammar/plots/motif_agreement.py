"""Families of motifs by model and cell type."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.models.registry import MODELS
from cisgrammar.plots import style
from cisgrammar.plots.heatmaps import Heatmap

N_TOP = 15  # families
ABOUT = ["family", "model", "r", "agreement", "n_models"]


@style.styled
def agreement_heatmap(found: pd.DataFrame, n_top: int = N_TOP) -> Figure:
    """Draw what families do in each cell type, the models below each other.

    Parameters
    ----------
    found
        ``motifs_compared.tsv``: family, model, agreement, and a column each cell type.
    n_top
        The most families to draw: the first ones.

    Raises
    ------
    ValueError
        If there are none.
    """
    style.require(found, "agreement_heatmap", ["family", "model", "agreement"])
    families = found["family"].drop_duplicates().head(n_top)
    shown = found[found["family"].isin(families)]
    titles = shown["model"].map({name: spec.title for name, spec in MODELS.items()})
    names = titles + " \N{MIDDLE DOT} " + shown["family"]
    values = shown.drop(columns=ABOUT).set_axis(names, axis=0)
    groups = shown["family"] + " (r = " + shown["agreement"].map(style.signed) + ")"
    return Heatmap(
        values,
        label="Effect (standard deviations over cell types)",
        cluster=False,
        row_groups=dict(zip(names, groups, strict=True)),
    ).draw()
