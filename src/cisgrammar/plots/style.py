"""The one look of every figure: sizes, fonts, colours, and how figures are saved.

Sizes are in millimetres, as journals state them. Figures are made without pyplot, so that
drawing leaves no global state behind.
"""

from __future__ import annotations

import contextlib
import functools
import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from cisgrammar.common.files import whole_file

MM = 1 / 25.4  # inches
ONE_COLUMN = 85.0
TWO_COLUMNS = 180.0
TEXT, SMALL, TINY = 7.0, 6.0, 5.0  # points
MISSING = "#D9D9D9"
INK = "#222222"
DIVERGING = "RdBu_r"  # for values around 0; safe for colour-blind readers
SEQUENTIAL = "viridis"
SET_ASIDE = "Greys"

LOOK: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.5,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
    "lines.linewidth": 0.9,
    "patch.linewidth": 0.5,
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "text.parse_math": False,  # a name may hold a dollar sign
    "svg.hashsalt": "cisgrammar",  # else ids, and so bytes, differ from run to run
    "svg.fonttype": "none",  # text stays text: can be searched, and edited by the author
}

# The first seven are those of Okabe & Ito (2008). The others were picked greedily, each the
# farthest (OKLab) from all before it and from white, as seen with normal, with deuteranopic
# and with protanopic eyes (Machado et al. 2009).
_COLOURS = (
    "#0072B2 #E69F00 #009E73 #D55E00 #CC79A7 #56B4E9 #F0E442 #7F3C8D #2D3C00 #0000FF "
    "#3C1E69 #00E1A5 #8778FF #874B3C #B4D2FF #0000B4 #692D4B #0F4BC3 #FF4B69 #A54B78 "
    "#FFB478 #695AE1 #5A87D2 #78F0D2 #5AC3B4 #004B69 #E1C300 #B44B0F #D2A578 #00A5C3 "
    "#5A1E87 #B43CA5 #5A4B00 #1E695A #7896FF #5A0F3C #5A874B #D2871E #96D2D2 #A56996 "
    "#87C3FF #2D00D2 #0FFF96 #3C3CA5 #780F2D #870F69 #F0D269 #2D69FF #872D3C #F087E1 "
    "#C39696 #B42D5A #4BA54B #C37878 #4BB4C3 #4BC34B #A54BC3 #5A3CE1 #D25AE1 #004BFF"
)
PALETTE = _COLOURS.split()

_CUT: dict[str, list[str]] = {}  # names as they were cut, and whole, for the titles in an SVG

_Function = TypeVar("_Function", bound=Callable[..., Any])


@contextlib.contextmanager
def look() -> Iterator[None]:
    """Draw under this look, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(LOOK)
        yield


def styled(function: _Function) -> _Function:
    """Make a function draw under :func:`look`."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with look():
            return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def new_figure(width: float, height: float, placed: bool = False) -> Figure:
    """Open a figure of a size in mm; ``placed`` if its axes are, by :func:`axes_at`."""
    size = (width * MM, height * MM)
    figure = Figure(figsize=size, layout=None if placed else "constrained")
    FigureCanvasAgg(figure)
    return figure


def axes_at(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a place in mm, counted from the figure's top left corner."""
    full_width, full_height = figure.get_size_inches() / MM
    return figure.add_axes(
        (
            left / full_width,
            1 - (top + height) / full_height,
            width / full_width,
            height / full_height,
        )
    )


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Open a figure with one empty axes over all of it: x and y in mm, y downwards."""
    figure = new_figure(width, height, placed=True)
    axes = axes_at(figure, 0, 0, width, height)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    return figure, axes


def save(figure: Figure, stem: str | Path) -> list[Path]:
    """Write ``{stem}.svg`` and ``{stem}.png`` (300 dpi), the same bytes each time.

    Parameters
    ----------
    figure
        What to write; its size is kept.
    stem
        The path without suffix. Each file appears whole or not at all.

    Returns
    -------
    The two paths.

    Notes
    -----
    Text in the SVG is text, in DejaVu Sans; a viewer without that font shows another one. Where
    :func:`shorten` has cut a name, the text's title, which a browser shows under the mouse, has it
    whole.
    """
    paths = [Path(f"{stem}.{suffix}") for suffix in ("svg", "png")]
    no_date = ({"Date": None, "Creator": None}, {"Software": None})
    for path, metadata in zip(paths, no_date, strict=True):
        with look(), whole_file(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], metadata=metadata)
            if path.suffix == ".svg" and _CUT:
                drawn = temporary.read_text(encoding="utf-8")
                temporary.write_text(_TEXT_CUT.sub(_with_title, drawn), encoding="utf-8")
    return paths


_TEXT_CUT = re.compile(r"(<text\b[^>]*>)([^<>]*…[^<>]*)(?=</text>)")


def _with_title(text: re.Match[str]) -> str:
    """Give a text of an SVG a title in which cut names are whole."""
    whole = html.unescape(text[2])
    cuts = [cut for cut in _CUT if cut in whole]
    if not cuts:
        return text[0]
    for cut in sorted(cuts, key=len, reverse=True):
        whole = whole.replace(cut, " or ".join(_CUT[cut]))
    return f"{text[1]}<title>{html.escape(whole, quote=False)}</title>{text[2]}"


def require(table: pd.DataFrame, figure: str, columns: Iterable[str] = ()) -> None:
    """Check that there is something to draw.

    Raises
    ------
    ValueError
        If the table has no rows or no columns, or lacks some of ``columns``.
    """
    absent = [column for column in columns if column not in table.columns]
    if absent:
        raise ValueError(
            f"{figure}: no column {', '.join(absent)} among {', '.join(map(str, table.columns))}"
        )
    if table.empty:
        raise ValueError(f"{figure}: nothing to draw, the table is empty {table.shape}")


def text_width(text: str, size: float) -> float:
    """Width in mm of a text at a size in points."""
    font = FontProperties(family="DejaVu Sans", size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width / 72 / MM


def shorten(text: object, width: float, size: float = SMALL) -> str:
    """Cut a text to at most ``width`` mm, in its middle: names often differ at the end only.

    :func:`save` gives the whole text as the title of the cut one.
    """
    text = str(text)
    if text_width(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        tail = kept // 3
        shorter = text[: kept - tail].rstrip() + "…" + text[len(text) - tail :]
        if text_width(shorter, size) <= width:
            break
    else:
        return "…"
    if text not in (wholes := _CUT.setdefault(shorter, [])):
        wholes.append(text)
    return shorter


def signed(number: float, digits: int = 2) -> str:
    """Write a number with a proper minus sign."""
    return f"{number:z.{digits}f}".replace("-", "−")


def category_colours(labels: Iterable[object]) -> dict[str, str]:
    """Give each category a colour, in the order of the names.

    Parameters
    ----------
    labels
        One per cell, pool, ...; repeats and missing values are allowed. Give the labels of all
        cells, and pass the result on, for the same colours in every figure.

    Returns
    -------
    Category to colour; from the 61st category on, colours come again.
    """
    names = sorted({str(label) for label in labels if not pd.isna(label)})
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def symmetric_limit(values: np.ndarray, percentile: float = 99.0) -> float:
    """Limit of a colour map centred on 0, not ruled by a few extremes; at least tiny."""
    finite = np.abs(values[np.isfinite(values)])
    return max(float(np.percentile(finite, percentile)) if finite.size else 0.0, 1e-12)


def legend_in_columns(
    figure: Figure,
    left: float,
    top: float,
    size: tuple[float, float],
    colours: Mapping[str, str],
    numbered: bool = False,
    title: str = "",
) -> None:
    """List categories beside their colours, in as many columns as the height needs.

    Parameters
    ----------
    left, top, size
        The place in mm: from the figure's top left corner, and (width, height). Too long names
        are cut to fit.
    colours
        Category to colour, in the order to list.
    numbered
        Whether to put the category's number, from 1, in its dot.
    title
        A line above.
    """
    width, height = size
    axes = axes_at(figure, left, top, width, height)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    pitch, head = 2.9, 4.0 if title else 0.0
    axes.text(0, 1.5, title, va="center", fontsize=TEXT)
    rows = max(1, int((height - head) / pitch))
    columns = -(-len(colours) // rows)
    for i, (name, colour) in enumerate(colours.items()):
        x, y = (i // rows) * width / columns, head + (i % rows + 0.5) * pitch
        axes.scatter(x + 1.5, y, s=46 if numbered else 14, c=colour, lw=0)
        if numbered:
            number_on(axes, x + 1.5, y, i + 1, colour)
        axes.text(x + 3.6, y, shorten(name, width / columns - 5), va="center_baseline", fontsize=6)


def legend_width(names: Iterable[str], height: float, title: str) -> float:
    """Width in mm that :func:`legend_in_columns` needs to cut no name."""
    names = list(names)
    rows = max(1, int((height - 4.0) / 2.9))
    widest = max(text_width(str(name), SMALL) for name in names)
    return max(-(-len(names) // rows) * (widest + 5.5), text_width(title, TEXT) + 1)


def legend_below(names: Iterable[str], width: float) -> tuple[float, float]:
    """Size in mm of a titled legend that fits into a width: as many columns as go in.

    Many names make two columns or more, in which the longest are cut.
    """
    names = list(names)
    columns = max(1 + (len(names) > 24), int(width / legend_width(names, 1e9, "")))
    return width, 4.5 + 2.9 * -(-len(names) // columns)


def number_on(axes: Axes, x: float, y: float, number: int, colour: str) -> None:
    """Write a category's number on its colour, black or white as reads better."""
    axes.text(
        x, y, str(number), color=ink_on(colour), fontsize=4.5, ha="center", va="center_baseline"
    )


def ink_on(colour: str) -> str:
    """Black or white, whichever stands out on a colour."""
    red, green, blue = mpl.colors.to_rgb(colour)
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.55 else "black"


def grid_shape(n: int, widest: int) -> tuple[int, int]:
    """Rows and columns for ``n`` small panels, at most ``widest`` side by side."""
    columns = min(n, widest)
    rows = -(-n // columns)
    return rows, -(-n // rows)


def hide_unused(axes: np.ndarray, used: int) -> None:
    """Take away the panels of a grid that were not drawn in."""
    for axis in axes[used:]:
        axis.remove()
