"""What neurons answer to: their facets, the dictionary, syntax trees, and curves of spacing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cisgrammar.motifs.meme import Motif, information_content, reverse_complement
from cisgrammar.plots import style
from cisgrammar.plots.logos import draw_logo, logo_gallery

MOST_FACETS, OF_ONE = 30, 4  # rows of a figure; of one neuron
MOST_PANELS, ACROSS = 12, 3
ROW, LABEL, NOTE = 9.0, 22.0, 42.0  # mm: a facet's height, its name, what is said of it
LEAF, LEVEL = 26.0, 5.5  # mm: of a tree
ARRANGEMENTS = {
    "pair": ("as read", style.PALETTE[0], "-"),
    "swapped": ("swapped", style.PALETTE[3], "--"),
    "scrambled": ("scrambled", "0.6", "-"),
}


@style.styled
def facet_logos(
    facets: pd.DataFrame, motifs: Sequence[Motif], sequences: pd.DataFrame | None = None
) -> Figure:
    """Draw the patterns of the purest neurons' facets, with their activations.

    Parameters
    ----------
    facets
        ``facets.tsv``.
    motifs
        ``facets.meme``: ``L{layer}_{neuron}_{facet}``.
    sequences
        ``sequences.tsv``: the share of real sequences that excite each facet, where known.

    Raises
    ------
    ValueError
        If there are no facets.
    """
    style.require(facets, "neuron_facets", ["layer", "neuron", "facet", "highest", "decoupling"])
    shown = _chosen_facets(facets)
    shares = {} if sequences is None or sequences.empty else _shares(sequences)
    matrices = {motif.name: motif.matrix for motif in motifs}
    spans = {
        (layer, neuron): _informative([matrices[f"L{layer}_{neuron}_{k}"] for k in its["facet"]])
        for (layer, neuron), its in shown.groupby(["layer", "neuron"], sort=False)
    }
    figure, axes = style.canvas(style.TWO_COLUMNS, ROW * len(shown) + 4)
    width = style.TWO_COLUMNS - LABEL - NOTE - 4
    for i, row in enumerate(shown.itertuples()):
        name = f"L{row.layer}_{row.neuron}_{row.facet}"
        base = 2 + (i + 1) * ROW - 1
        start, end = spans[row.layer, row.neuron]
        matrix = matrices[name][:, start:end]
        step = min(3.2, width / matrix.shape[1])
        axes.text(1, base - 3, name, va="center", fontsize=style.SMALL)
        draw_logo(axes, matrix, LABEL, base, step * matrix.shape[1], -(ROW - 2.5))
        note = f"{row.highest:.3g}  decoupling {row.decoupling:.2f}"
        if name in shares:
            note += f"  {shares[name]:.1%}"
        axes.text(
            style.TWO_COLUMNS - 1, base - 3, note, va="center", ha="right", fontsize=style.TINY
        )
    return figure


def _chosen_facets(facets: pd.DataFrame) -> pd.DataFrame:
    """Take some facets of the neurons whose patterns hold the most, layers in turn."""
    first = facets.groupby(["layer", "neuron"], sort=False).head(OF_ONE)
    worth = (first["information"] * first["decoupling"].clip(0, 1)).groupby(
        [first["layer"], first["neuron"]]
    )
    ranked = worth.max().sort_values(ascending=False, kind="stable")
    turn = ranked.groupby(level="layer").cumcount()
    order = sorted(ranked.index, key=lambda key: (turn[key], key[0]))
    chosen, n = [], 0
    for layer, neuron in order:
        its = first[(first["layer"] == layer) & (first["neuron"] == neuron)]
        if n + len(its) > MOST_FACETS:
            break
        chosen.append(its)
        n += len(its)
    return pd.concat(chosen).sort_values(["layer", "neuron", "facet"], kind="stable")


def _shares(sequences: pd.DataFrame) -> dict[str, float]:
    keys = zip(sequences["layer"], sequences["neuron"], sequences["facet"], strict=True)
    names = [f"L{layer}_{neuron}_{facet}" for layer, neuron, facet in keys]
    return dict(zip(names, sequences["share"], strict=True))


def _informative(matrices: Sequence[np.ndarray]) -> tuple[int, int]:
    """Find where the patterns of a neuron hold information, so that they are cut alike."""
    high = np.flatnonzero(np.max([information_content(m) for m in matrices], axis=0) > 0.2)
    if not len(high):
        return 0, matrices[0].shape[1]
    return int(high[0]), int(high[-1]) + 1


def dictionary_logos(dictionary: pd.DataFrame, entries: Sequence[Motif]) -> Figure:
    """Draw the dictionary, the entries of the most neurons first, named by known motifs.

    Parameters
    ----------
    dictionary
        ``dictionary.tsv``.
    entries
        ``dictionary.meme``: ``L{layer}_{entry}``.

    Raises
    ------
    ValueError
        If there are none.
    """
    style.require(dictionary, "neuron_dictionary", ["layer", "entry", "n_neurons", "tf"])
    matrices = {motif.name: motif for motif in entries}
    ranked = dictionary.sort_values("n_neurons", ascending=False, kind="stable")
    drawn = []
    for row in ranked.itertuples():
        name = f"L{row.layer}_{row.entry}"
        called = "" if pd.isna(row.tf) else f"={str(row.tf).split(';')[0]}"
        drawn.append(Motif(name + called, matrices[name].matrix))
    return logo_gallery(drawn)


@style.styled
def syntax_trees(
    syntax: pd.DataFrame,
    dictionary: pd.DataFrame,
    entries: Sequence[Motif],
    links: pd.DataFrame | None = None,
) -> Figure:
    """Draw the trees of the neurons that join the most motifs: logos, gaps, and what links them.

    Parameters
    ----------
    syntax
        ``syntax.tsv``.
    dictionary, entries
        ``dictionary.tsv`` and ``dictionary.meme``.
    links
        ``links.tsv``.

    Raises
    ------
    ValueError
        If no neuron joins motifs.
    """
    style.require(syntax, "neuron_syntax", ["layer", "neuron", "node", "left", "right"])
    groups = dict(list(syntax.groupby(["layer", "neuron"], sort=False)))
    order = sorted(groups, key=lambda key: (-len(groups[key]), -groups[key]["n_sequences"].max()))
    shown = order[:MOST_PANELS]
    heights = [14.0 + LEVEL * len(groups[key]) for key in shown]
    figure, axes = style.canvas(style.TWO_COLUMNS, sum(heights) + 4)
    matrices = {motif.name: motif.matrix for motif in entries}
    tfs = {f"L{r.layer}_{r.entry}": r.tf for r in dictionary.itertuples()}
    top = 2.0
    for key, height in zip(shown, heights, strict=True):
        axes.text(1, top + height - 6, f"L{key[0]}_{key[1]}", fontsize=style.SMALL)
        _tree(axes, groups[key], top + height, key[0], matrices, tfs, _links_of(links, key))
        top += height
    return figure


def _links_of(links: pd.DataFrame | None, key: tuple[int, int]) -> dict[frozenset[str], str]:
    if links is None or links.empty:
        return {}
    own = links[(links["layer"] == key[0]) & (links["neuron"] == key[1])]
    return {
        frozenset((first, second)): link
        for first, second, link in zip(own["first"], own["second"], own["link"], strict=True)
    }


def _tree(
    axes: Axes,
    joins: pd.DataFrame,
    bottom: float,
    layer: int,
    matrices: Mapping[str, np.ndarray],
    tfs: Mapping[str, object],
    links: Mapping[frozenset[str], str],
) -> None:
    """Draw one tree above its motifs; joins come the innermost first."""
    rows = {row.node: row for row in joins.itertuples()}
    leaves: list[str] = []

    def visit(node: str) -> tuple[float, float, str, str]:
        """Draw a node; give its x, the y where it ends, its first and its last motif."""
        if node not in rows:
            x = LABEL + LEAF * (len(leaves) + 0.5)
            leaves.append(node)
            _leaf(axes, node, x, bottom, layer, matrices, tfs)
            return x, bottom - 11, node, node
        row = rows[node]
        x_left, y_left, first, inner = visit(row.left)
        x_right, y_right, outer, last = visit(row.right)
        y = min(y_left, y_right) - LEVEL
        axes.plot([x_left, x_left, x_right, x_right], [y_left, y, y, y_right], c=style.INK, lw=0.6)
        gap = str(row.gap_least)
        if row.gap_least != row.gap_most:
            gap = f"{row.gap_least} to {row.gap_most}"
        second = f"{outer}'2" if inner == outer else outer
        link = links.get(frozenset((inner, second)), "")
        text = f"{gap} bp {link}".strip()
        axes.text(
            (x_left + x_right) / 2, y + 2, text, ha="center", va="center", fontsize=style.TINY
        )
        return (x_left + x_right) / 2, y, first, last

    visit(joins["node"].iloc[-1])


def _leaf(
    axes: Axes,
    word: str,
    x: float,
    bottom: float,
    layer: int,
    matrices: Mapping[str, np.ndarray],
    tfs: Mapping[str, object],
) -> None:
    name = f"L{layer}_{word[:-1]}"
    matrix = matrices[name]
    matrix = reverse_complement(matrix) if word.endswith("-") else matrix
    width = min(LEAF - 3, 2.2 * matrix.shape[1])
    draw_logo(axes, matrix, x - width / 2, bottom - 4, width, -6)
    tf = tfs.get(name)
    label = word if tf is None or pd.isna(tf) else f"{word} {str(tf).split(';')[0]}"
    axes.text(
        x, bottom - 2, style.shorten(label, LEAF - 1, style.TINY), ha="center", va="center",
        fontsize=style.TINY,
    )  # fmt: skip


@style.styled
def spacing_curves(spacing: pd.DataFrame) -> Figure:
    """Draw activation against the gap between two sides of a join, and the range that was read.

    Parameters
    ----------
    spacing
        ``spacing.tsv``.

    Raises
    ------
    ValueError
        If the table is empty.
    """
    style.require(spacing, "neuron_spacing", ["layer", "neuron", "node", "arrangement", "gap"])
    height = spacing.groupby(["layer", "neuron", "node"], sort=False)["activation"].max()
    shown = list(height.sort_values(ascending=False, kind="stable").index[:MOST_PANELS])
    rows, columns = style.grid_shape(len(shown), ACROSS)
    figure = style.new_figure(max(style.ONE_COLUMN, 60.0 * columns), 42.0 * rows + 8)
    grid = np.ravel(figure.subplots(rows, columns, squeeze=False))
    style.hide_unused(grid, len(shown))
    for i, ((layer, neuron, node), axes) in enumerate(zip(shown, grid, strict=False)):
        own = spacing[
            (spacing["layer"] == layer) & (spacing["neuron"] == neuron) & (spacing["node"] == node)
        ]
        _curve(axes, own)
        axes.set_title(style.shorten(f"L{layer}_{neuron} {node}", 52, style.SMALL), fontsize=6)
        if i % columns == 0:
            axes.set_ylabel("Activation")
        if i >= len(shown) - columns:
            axes.set_xlabel("Gap (bp)")
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3 if columns > 1 else 2)
    return figure


def _curve(axes: Axes, table: pd.DataFrame) -> None:
    expected = table.loc[table["expected"] & (table["arrangement"] == "pair"), "gap"]
    if len(expected):
        axes.axvspan(
            expected.min() - 0.5, expected.max() + 0.5, color="0.92", lw=0, label="gaps as read"
        )
    for name, (label, colour, dashes) in ARRANGEMENTS.items():
        its = table[table["arrangement"] == name]
        axes.plot(its["gap"], its["activation"], c=colour, ls=dashes, label=label)
    alone = table.loc[table["arrangement"] == "first alone", "activation"]
    if len(alone):
        axes.axhline(alone.iloc[0], c=style.INK, lw=0.5, ls=":", label="left side alone")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
