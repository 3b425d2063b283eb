"""A note in a figure's place, so that a report says why something is not there."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Callable

from matplotlib.figure import Figure

from cisgrammar.plots import style

logger = logging.getLogger(__name__)


@style.styled
def note(text: str) -> Figure:
    """Write a few lines where a figure would have been."""
    figure = style.new_figure(style.ONE_COLUMN, 30)
    lines = textwrap.fill(text, 60)
    figure.text(0.5, 0.5, lines, ha="center", va="center", fontsize=style.SMALL, color=style.INK)
    return figure


def draw_or_note(
    draw: Callable[..., Figure], *args: object, why: str = "", **kwargs: object
) -> Figure:
    """Draw a figure; where there is nothing to draw, write why.

    Parameters
    ----------
    draw
        Raises ValueError on empty input.
    args, kwargs
        Its arguments.
    why
        The reason, where it is known beforehand.
    """
    try:
        return draw(*args, **kwargs)
    except ValueError as error:
        logger.warning("a note stands in place of a figure: %s", error)
        return note(why or f"Nothing to draw here. {error}")
