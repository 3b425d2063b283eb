import pandas as pd
import pytest
from matplotlib.figure import Figure

from cisgrammar.plots.link_motifs import ROWS, link_motifs


def table(n):
    return pd.DataFrame(
        {
            "motif": [f"M{i}" for i in range(n)],
            "name": [f"a very long name of a dimer of TFs::number {i}" for i in range(n)],
            "like": "",
            "share": 0.3,
            "share_matched": 0.1,
            "effect": [(-1) ** i / (i + 1) for i in range(n)],
            "q_effect": [0.001 * i for i in range(n)],
        }
    )


REGULATORS = pd.DataFrame(
    {"motif": ["M0", "M1"], "tf": ["A", "B"], "rho": [0.9, None], "rank": [1, pd.NA]}
)


@pytest.mark.parametrize("n", [1, 5, 60])
def test_the_surest_motifs_are_drawn_with_their_tf(n):
    figure = link_motifs(table(n), REGULATORS)
    assert isinstance(figure, Figure)
    left, right = figure.axes[:2]
    assert len(right.patches) == len(left.get_yticks()) == min(n, ROWS)
    notes = [text.get_text() for text in right.child_axes[0].get_yticklabels()]
    assert notes[0].startswith("A ") and notes[0].endswith("0.90")
    assert not any(notes[1:])
