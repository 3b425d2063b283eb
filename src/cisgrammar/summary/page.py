"""One page of HTML that needs nothing else: sections of sentences and tables."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.path import Path as Outline

from cisgrammar.genome.sequence import BASES
from cisgrammar.plots.logos import COLOURS, LEAST_BITS, MAX_BITS, glyph, letter_heights
from cisgrammar.plots.style import DIVERGING, ink_on, signed, symmetric_limit

STYLE = """
.summary { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 80rem; }
.summary h2 { font-size: 1.15rem; font-weight: 600; margin: 1.6rem 0 .3rem; }
.summary p { margin: .4rem 0; max-width: 64rem; }
.summary ul { margin: .3rem 0; padding-left: 1.2rem; max-width: 64rem; }
.summary li { margin: .2rem 0; }
.summary li a { font-size: .85rem; white-space: nowrap; }
.summary .warnings { border-left: 4px solid #e69f00; padding-left: .8rem; }
.summary .wide { overflow-x: auto; background: /* a shadow where there is more to the right */
  linear-gradient(to left, #fff 30%, #fff0) right / 2rem 100% no-repeat local,
  linear-gradient(to left, #0003, #0000) right / .6rem 100% no-repeat; }
.summary table { width: auto; border-collapse: collapse; font-size: .9rem; margin: .5rem 0; }
.summary caption { text-align: left; color: #555; padding-bottom: .3rem; }
.summary caption span { display: inline-block; max-width: calc(100vw - 2.5rem); }
.summary th, .summary td { padding: .2rem .6rem; border-bottom: 1px solid #ddd; text-align: left; }
.summary th { font-weight: 600; vertical-align: top; }
.summary tr:first-child th { vertical-align: bottom; }
.summary tr:has(svg) th { vertical-align: middle; }
.summary td.number { text-align: right; font-variant-numeric: tabular-nums; }
.summary td.effect { text-align: center; min-width: 2.2rem; font-size: .75rem;
  border: 1px solid #fff; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.summary svg.logo { height: 2.1rem; display: block; }
.summary .more { font-size: .9rem; }
.summary .more a { margin-right: 1rem; }
/* in Snakemake's report: the page from its top, as wide as it is, the graph of jobs below it */
.overflow-auto:has(.summary) { align-items: flex-start; justify-content: flex-start; }
.items-start:has(.summary) { flex-direction: column; min-width: 0; }
.items-start > div:has(.summary), .prose:has(.summary) { max-width: 80rem; width: 100%; }
@media (max-width: 40rem) {
  .summary th, .summary td { padding: .2rem .35rem; } .summary svg.logo { height: 1.4rem; } }
@media print { .summary { font-size: 10pt; } .summary table, .summary h2 { break-inside: avoid; } }
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>body {{ margin: 1.5rem auto; padding: 0 1rem; max-width: 80rem;
font-family: system-ui, sans-serif; }}
</style></head><body><main>
<h1>{title}</h1>
{body}
</main></body></html>
"""


@dataclass(frozen=True)
class Section:
    """What one analysis has to say.

    Parameters
    ----------
    title
        A heading.
    sentences
        Plain text, a paragraph each.
    tables
        HTML, from :func:`table`.
    more
        Where the rest is: what a link says, and its path below ``results/{name}/``.
    is_warning
        The section tells what to be careful with.
    in_short
        What the top of the page says of it, in one sentence; empty says nothing.
    is_first
        That sentence stands before those of the other sections, wherever the section stands.
    """

    title: str
    sentences: Sequence[str]
    tables: Sequence[str] = ()
    more: Mapping[str, str] = field(default_factory=dict)
    is_warning: bool = False
    in_short: str = ""
    is_first: bool = False


def body(sections: Iterable[Section], made: Iterable[str] | None = None) -> str:
    """Write the sections.

    Parameters
    ----------
    sections
        In their order.
    made
        Paths below ``results/{name}/`` that may be linked; None links nothing, for a page that
        will lie somewhere else.
    """
    sections, linked = list(sections), set(made or ())
    parts = [f"<style>{STYLE}</style>", _letters(), _in_short(sections)]
    for i, section in enumerate(sections):
        kind = ' class="warnings"' if section.is_warning else ""
        parts.append(f'<section{kind} id="part-{i}"><h2>{html.escape(section.title)}</h2>')
        parts += [f"<p>{html.escape(sentence)}</p>" for sentence in section.sentences]
        parts += [f'<div class="wide">{table}</div>' for table in section.tables]
        links = [
            f'<a href="{html.escape(path, quote=True)}">{html.escape(text)}</a>'
            for text, path in section.more.items()
            if path in linked
        ]
        if links:
            parts.append(f'<p class="more">{"".join(links)}</p>')
        parts.append("</section>")
    return '<div class="summary">' + "\n".join(parts) + "</div>\n"


def _in_short(sections: Sequence[Section]) -> str:
    """List what the sections say, each with a link to it."""
    lines = [
        f'<li>{html.escape(section.in_short)} <a href="#part-{i}" '
        f'aria-label="More: {html.escape(section.title, quote=True)}">More</a></li>'
        for i, section in sorted(enumerate(sections), key=lambda item: not item[1].is_first)
        if section.in_short
    ]
    return f"<section><h2>In short</h2><ul>{''.join(lines)}</ul></section>" if lines else ""


def document(title: str, body: str) -> str:
    """Put a body into a page of its own."""
    return PAGE.format(title=html.escape(title), body=body)


def table(
    rows: pd.DataFrame,
    caption: str,
    *,
    logos: Mapping[str, np.ndarray] | None = None,
    effects: pd.DataFrame | None = None,
) -> str:
    """Write a table, with a logo before each row and a strip of effects behind it where given.

    Parameters
    ----------
    rows
        One a row of the table, its first column the row's name; numbers are written with two
        decimals, whole ones without.
    caption
        What the rows are, and the unit of the effects.
    logos
        Probabilities ``(4, width)`` by the row's name.
    effects
        Rows as ``rows``, one column a cell type: coloured about 0.
    """
    head = ["motif"] * (logos is not None) + list(rows.columns)
    strips = [] if effects is None else list(effects.columns)
    limit = 1.0 if effects is None else symmetric_limit(effects.to_numpy(float), percentile=100)
    cells = [f'<th scope="col">{html.escape(str(name))}</th>' for name in [*head, *strips]]
    digits = int(np.clip(1 - np.floor(np.log10(limit)), 1, 4))  # two figures of the largest
    lines = ["<tr>" + "".join(cells) + "</tr>"]
    for i, row in enumerate(rows.itertuples(index=False)):
        name = str(row[0])
        cells = []
        if logos is not None:
            drawn = logo(logos[name], name) if name in logos else ""
            cells.append(f"<td>{drawn}</td>")
        cells.append(f'<th scope="row">{html.escape(name)}</th>')
        cells += [_cell(value) for value in row[1:]]
        if effects is not None:
            cells += [_effect(value, limit, digits) for value in effects.iloc[i]]
        lines.append("<tr>" + "".join(cells) + "</tr>")
    return f"<table><caption><span>{html.escape(caption)}</span></caption>{''.join(lines)}</table>"


def number(value: float | np.number, digits: int = 2) -> str:
    """Write a number for reading: whole ones in groups of three, others with two decimals."""
    if pd.isna(value):
        return ""
    if float(value).is_integer() and not isinstance(value, float | np.floating):
        return f"{int(value):,}"
    return signed(float(value), digits)


def _cell(value: object) -> str:
    if isinstance(value, int | float | np.number):
        return f'<td class="number">{number(value)}</td>'
    return f"<td>{'' if value is None or pd.isna(value) else html.escape(str(value))}</td>"


def _effect(value: float, limit: float, digits: int) -> str:
    if pd.isna(value):
        return "<td></td>"
    red, green, blue, _ = colormaps[DIVERGING](0.5 + 0.5 * value / limit, bytes=True)
    colour = f"#{red:02x}{green:02x}{blue:02x}"
    style = f"background:{colour};color:{ink_on(colour)}"
    return f'<td class="effect" style="{style}">{signed(value, digits)}</td>'


def logo(matrix: np.ndarray, name: str) -> str:
    """Draw a logo as SVG, 2 bits high; its letters are those that :func:`body` defines."""
    bits = letter_heights(np.asarray(matrix, dtype=float))
    width = bits.shape[1]
    shapes = []
    for i in range(width):
        base = MAX_BITS
        for row in np.argsort(bits[:, i], kind="stable"):
            if (height := bits[row, i]) > LEAST_BITS:
                place = f"translate({i + 0.03:g} {base:.3f}) scale(.94 {-height:.3f})"
                colour = COLOURS[BASES[row]]
                shapes.append(
                    f'<use href="#letter-{BASES[row]}" transform="{place}" fill="{colour}"/>'
                )
                base -= height
    return (
        f'<svg class="logo" role="img" aria-label="Logo of {html.escape(name, quote=True)}" '
        f'viewBox="0 0 {width} {MAX_BITS:g}" width="{width * 0.8:g}rem" '
        f'preserveAspectRatio="none">{"".join(shapes)}</svg>'
    )


@cache
def _letters() -> str:
    """Define the four letters once, each in a square from (0, 0) to (1, 1), upwards."""
    shapes = "".join(f'<path id="letter-{base}" d="{_outline(glyph(base))}"/>' for base in BASES)
    hidden = 'width="0" height="0" style="position:absolute" aria-hidden="true"'
    return f"<svg {hidden}><defs>{shapes}</defs></svg>"


def _outline(path: Outline) -> str:
    commands = {Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C"}
    return "".join(
        commands[code] + " ".join(f"{value:.4f}" for value in points) if code in commands else "Z"
        for points, code in path.iter_segments()
    )
