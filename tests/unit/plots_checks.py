"""What every figure is checked for: nothing cut off, no text on text, the same bytes."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from cisgrammar.plots import style


def boxes_of_texts(figure: Figure) -> tuple[list[str], np.ndarray]:
    """Draw, and give each visible text with its box in pixels: x0, y0, x1, y1."""
    with style.look():
        figure.canvas.draw()
    hidden = hidden_tick_labels(figure)
    texts = [
        text
        for text in figure.findobj(lambda artist: isinstance(artist, Text))
        if text.get_text().strip() and text.get_visible() and id(text) not in hidden
    ]
    boxes = np.array([text.get_window_extent().extents for text in texts]).reshape(-1, 4)
    return [text.get_text() for text in texts], boxes


def hidden_tick_labels(figure: Figure) -> set[int]:
    """Tick labels (their ids) that are not drawn: outside the limits, or of axes turned off."""
    hidden = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        slack = 1e-9 * (high - low)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not axis.axes.axison or not low - slack <= tick.get_loc() <= high + slack:
                hidden.add(id(tick.label1))
    return hidden


def assert_legible(figure: Figure) -> None:
    """Fail when a text is cut by the figure's edge, or lies on another one."""
    texts, boxes = boxes_of_texts(figure)
    width, height = figure.bbox.size
    slack = 0.5
    outside = (boxes[:, :2] < -slack).any(axis=1) | (
        boxes[:, 2:] > [width + slack, height + slack]
    ).any(axis=1)
    assert not outside.any(), f"cut off: {[texts[i] for i in np.flatnonzero(outside)]}"
    shared = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(
        boxes[:, None, :2], boxes[None, :, :2]
    )
    hits = np.argwhere(np.triu((shared > 1.0).all(axis=2), k=1))
    assert not hits.size, f"overlap: {[(texts[i], texts[j]) for i, j in hits[:10]]}"


def shown_texts(figure: Figure) -> list[str]:
    """Every text that is drawn."""
    return boxes_of_texts(figure)[0]


def saved_bytes(figure: Figure, stem) -> list[bytes]:
    """What :func:`style.save` writes."""
    return [path.read_bytes() for path in style.save(figure, stem)]
