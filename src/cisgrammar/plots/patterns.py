"""Patterns of contributions: their logos, and what their families do by label."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import style
from cisgrammar.plots.heatmaps import Heatmap
from cisgrammar.plots.logos import logo_gallery

N_TOP = 30  # families


def pattern_logos(patterns: pd.DataFrame, motifs: Sequence[Motif]) -> Figure:
    """Draw the logo of each pattern with its name, its sign and its number of seqlets.

    Parameters
    ----------
    patterns
        ``patterns.tsv``: motif, sign, seqlets, family, target_tfs.
    motifs
        The same patterns.

    Raises
    ------
    ValueError
        If there are none.
    """
    style.require(patterns, "pattern_logos", ["motif", "sign", "seqlets", "family", "target_tfs"])
    matrices = {motif.name: motif.matrix for motif in motifs}
    order = patterns.sort_values("seqlets", ascending=False, kind="stable")
    drawn, counts = [], []
    for row in order.itertuples():
        named = isinstance(row.target_tfs, str)
        known = row.target_tfs.partition(";")[0] if named else row.family
        name = f"{row.sign}{known}_{row.motif}".replace(" ", "_")
        drawn.append(Motif(name, matrices[row.motif]))
        counts.append((drawn[-1].name, row.seqlets))
    return logo_gallery(drawn, pd.DataFrame(counts, columns=["motif", "n_sequences"]))


@style.styled
def family_contributions(
    by_label: pd.DataFrame, families: pd.DataFrame, motifs: Sequence[Motif], n_top: int = N_TOP
) -> Figure:
    """Draw what families of patterns contribute to each label, per sequence.

    Parameters
    ----------
    by_label
        Families (index) x labels.
    families
        ``pattern_families.tsv``: family, example (the pattern whose logo is drawn).
    motifs
        The patterns.
    n_top
        The most to draw: those that contribute most to a label.

    Raises
    ------
    ValueError
        If there are none.
    """
    style.require(by_label, "family_contributions")
    style.require(families, "family_contributions", ["family", "example"])
    matrices = {motif.name: motif.matrix for motif in motifs}
    shown = by_label.abs().max(axis=1).nlargest(n_top).index
    examples = families.set_index("family")["example"]
    return Heatmap(
        by_label.loc[shown],
        label="Contribution per sequence",
        logos={family: matrices[examples[family]] for family in shown},
    ).draw()
