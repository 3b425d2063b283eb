"""Families of motifs: their influence, how they go together, how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anndata as ad
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import style
from cisgrammar.plots.cell_types import present_types
from cisgrammar.plots.heatmaps import GREY, Heatmap
from cisgrammar.plots.influence import colours_of_heatmap, pools_plane
from cisgrammar.plots.maps import value_maps

FEW_CELL_TYPES = 12


def category_of_types(categories: Mapping[str, Sequence[str]]) -> dict[str, str] | None:
    """Turn the cell types of each category into the category of each type; None without any."""
    return {type_: name for name, types in categories.items() for type_ in types} or None


def examples_of(families: pd.DataFrame, filters: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of filter_families.tsv that are the families' examples, in their order."""
    return filters.set_index("motif").loc[families["example"]].reset_index()


@style.styled
def family_heatmap(
    z: pd.DataFrame,
    families: pd.DataFrame,
    motifs: Sequence[Motif] = (),
    influence: pd.DataFrame | None = None,
    categories: Mapping[str, str] | None = None,
    n_top: int = 45,
    unit: str = "log10 counts",
    score: str = "influence",
    order: Sequence[str] = (),
) -> Figure:
    """Draw influence of families by cell type: logos, dendrograms, reproducibility.

    Families that are not reproducible stand below, in grey.

    Parameters
    ----------
    z
        Family (index) x cell type, or x category: z-scores over the columns.
    families
        ``families.tsv``: family, reproducibility (share of folds), reproducible (true or
        false), example (the motif whose logo is drawn).
    motifs
        The filters' motifs, the examples among them.
    influence
        As ``z``, but raw; its mean over columns is drawn as bars.
    categories
        Cell type to category: a strip of colours above the columns.
    n_top
        The most families to draw: the first in ``families``; 45 fill a page.
    unit
        The unit of influence, that of the model's targets.
    score
        What the numbers are: ``influence`` or ``effect``.
    order
        Cell types in the order of the columns; empty: that of their clustering.

    Raises
    ------
    ValueError
        If a table is empty or a column is missing.
    """
    style.require(z, "family_heatmap")
    columns = ["family", "reproducibility", "reproducible", "example"]
    style.require(families, "family_heatmap", columns)
    shown = families[families["family"].isin(z.index)].head(n_top).set_index("family")
    matrices = {motif.name: motif.matrix for motif in motifs}
    examples = shown["example"].items()
    values, label = colours_of_heatmap(z.loc[shown.index], influence, score, unit)
    return Heatmap(
        values,
        label=label,
        logos={family: matrices[name] for family, name in examples if name in matrices},
        set_aside=set(shown.index[~shown["reproducible"].astype(bool)]),
        row_notes={family: f"{share:.0%}" for family, share in shown["reproducibility"].items()},
        bars=None if influence is None else influence.mean(axis=1),
        bar_label=f"Mean {score}\n({unit})",
        column_order=order,
        column_groups=categories or {},
    ).draw()


@style.styled
def correlation_heatmap(correlations: pd.DataFrame, label: str = "Spearman's ρ") -> Figure:
    """Draw correlations as a clustered heat map with a fixed scale from -1 to 1.

    Parameters
    ----------
    correlations
        Families (index) x families, markers, cell annotations, ...
    label
        What the numbers are.

    Raises
    ------
    ValueError
        If there are none, or none is a number: of two pools there is no correlation.
    """
    style.require(correlations, "correlation_heatmap")
    if correlations.isna().to_numpy().all():
        raise ValueError("No correlation is defined: it needs three pools (or targets) or more.")
    return Heatmap(correlations, label, limit=1.0, cell_width=3.6).draw()


@style.styled
def family_stability(
    stability: pd.DataFrame,
    families: pd.DataFrame,
    colours: Mapping[str, str] | None = None,
    n_top: int = 30,
    unit: str = "log10 counts",
    score: str = "influence",
) -> Figure:
    """Draw each family's influence by cell type, with its interval over folds.

    Up to twelve cell types have their colours; more are sorted by influence in each family.

    Parameters
    ----------
    stability
        family, cell_type, mean, low, high (of the mean over folds).
    families
        ``families.tsv``: family, reproducible. Those that are not are drawn grey.
    colours
        Cell type to colour.
    n_top
        The most families to draw: the first in ``families``.
    unit
        The unit of influence.
    score
        What the numbers are: ``influence`` or ``effect``.

    Raises
    ------
    ValueError
        If a table is empty or a column is missing.
    """
    style.require(stability, "family_stability", ["family", "cell_type", "mean", "low", "high"])
    style.require(families, "family_stability", ["family", "reproducible"])
    shown = families[families["family"].isin(stability["family"])].head(n_top)
    colours = present_types(stability["cell_type"], colours)
    few = len(colours) <= FEW_CELL_TYPES
    legend = style.legend_below(colours, style.TWO_COLUMNS - 12) if few else (0.0, 0.0)
    pitch = float(np.clip(0.9 * len(colours), 4.0, max(4.0, (225 - legend[1]) / len(shown))))
    above = 12 + pitch * len(shown)
    figure = style.new_figure(style.TWO_COLUMNS, above + legend[1] + 3)
    upper = figure.subfigures(2, 1, height_ratios=[above, legend[1] + 3], squeeze=False)[0, 0]
    axes = upper.subplots()
    axes.axvline(0, color="0.7", lw=0.5, zorder=0)
    for y, row in enumerate(shown[::-1].itertuples()):
        if y % 2:
            axes.axhspan(y - 0.5, y + 0.5, color="0.95", lw=0, zorder=-1)
        table = stability[stability["family"] == row.family]
        table = table.assign(place=table["cell_type"].astype(str).map(list(colours).index))
        table = table.sort_values("place" if few else "mean", ascending=few, kind="stable")
        at = y + np.linspace(0.38, -0.38, len(table)) * (len(table) > 1)
        inks = [
            colours[name] if few else style.PALETTE[0] for name in table["cell_type"].astype(str)
        ]
        inks = inks if row.reproducible else [GREY] * len(inks)
        axes.hlines(at, table["low"], table["high"], colors=inks, lw=0.6, alpha=1 if few else 0.5)
        axes.scatter(table["mean"], at, s=8 if few else 2, c=inks, lw=0, zorder=2)
    axes.set_yticks(range(len(shown)), [style.shorten(name, 40) for name in shown["family"][::-1]])
    axes.set(
        xlabel=f"{score.capitalize()} ({unit})", ylabel="Family", ylim=(-0.6, len(shown) - 0.4)
    )
    if few:
        style.legend_in_columns(figure, 10, above + 1, legend, colours, title="Cell type")
    return figure


@style.styled
def pools_by_family(
    influence: ad.AnnData, families: Sequence[str] | None = None, score: str = "influence"
) -> Figure:
    """Draw the first two principal components of pools, coloured by each family's influence.

    Parameters
    ----------
    influence
        Pools x families.
    families
        The families to draw; by default the twelve whose influence varies most over pools.
    score
        What the numbers are: ``influence`` or ``effect``.

    Raises
    ------
    ValueError
        If there are no pools or no families.
    """
    table = influence.to_df()
    style.require(table, "pools_by_family")
    chosen = list(families or table.std().sort_values(ascending=False, kind="stable").index[:12])
    points, share = pools_plane(influence)
    figure = value_maps(
        points,
        table[chosen] - table[chosen].mean(),
        f"{score.capitalize()} about its mean",
        centred=True,
    )
    figure.supxlabel(f"PC1 ({share[0]:.0%} of variance)", fontsize=style.TEXT)
    figure.supylabel(f"PC2 ({share[1]:.0%} of variance)", fontsize=style.TEXT)
    return figure
