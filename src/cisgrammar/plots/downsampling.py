"""What fewer fragments do to a model of single cells."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.plots import style

PANELS = {
    "auroc_per_cell": "AUROC of held-out\npeaks, per cell",
    "auroc_per_peak": "AUROC of held-out\npeaks, per peak",
    "ari": "Clusters against\ncell types (ARI)",
    "label_score_50": "Neighbours of the\nsame type (of 50)",
    "neighbor_score_50": "Neighbours that\nRNA has too (of 50)",
}
LEAST_RANGE = 0.1  # of a panel's scale: what is less may be chance


@style.styled
def downsampling(measures: pd.DataFrame) -> Figure:
    """Draw measures against the share of the entries that are open.

    Parameters
    ----------
    measures
        share, measure, value, with the measure ``open_share``; the last of the others that are
        known here are drawn, a panel each.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(measures, "downsampling", ["share", "measure", "value"])
    table = measures.pivot_table("value", "share", "measure", dropna=False).sort_index()
    shown = [name for name in PANELS if name in table]
    figure = style.new_figure(8 + 34 * len(shown), 46)
    panels = figure.subplots(1, len(shown), squeeze=False).ravel()
    x = 100 * table["open_share"]
    for panel, name in zip(panels, shown, strict=True):
        panel.plot(x, table[name], color=style.PALETTE[3], marker="o", ms=2.5)
        panel.set_title(PANELS[name])
        panel.set_xscale("log")
        panel.set_xticks([x.min(), x.max()], [f"{value:.2g}%" for value in (x.min(), x.max())])
        panel.minorticks_off()
        panel.margins(x=0.12)
        low, high = panel.get_ylim()
        room = max(LEAST_RANGE - (high - low), 0) / 2
        panel.set_ylim(low - room, high + room)
    figure.supxlabel("Open entries", fontsize=style.TEXT)
    return figure
