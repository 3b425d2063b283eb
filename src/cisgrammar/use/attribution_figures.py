"""What bases contribute, drawn: the windows that have most of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.genome.sequence import reverse_complement
from cisgrammar.interpret.contributions import Attributions, motif_names
from cisgrammar.plots import style
from cisgrammar.plots.attributions import contribution_track


def draw(
    found: Attributions, seqlets: pd.DataFrame, n: int, folder: Path, before: str = ""
) -> list[str]:
    """Draw the sequences whose bases contribute most; give their names.

    Parameters
    ----------
    found
        Contributions.
    seqlets
        Of these: from :func:`cisgrammar.use.attribution_files.seqlet_table`.
    n
        How many sequences at most.
    folder, before
        Where figures go, and what their numbers come after.
    """
    total = np.nansum(np.abs(found.contributions), axis=1)
    rows = np.argsort(-total, kind="stable")[:n]
    for number, row in enumerate(rows):
        window, name = found.windows.iloc[row], str(found.windows.index[row])
        its = seqlets[seqlets["sequence"] == name]
        backwards = window["strand"] == "-"
        scores = found.contributions[row][:: -1 if backwards else 1]
        called = str(window["gene_name"]) if "gene_name" in found.windows else name
        figure = contribution_track(
            scores,
            reverse_complement(found.codes[row]) if backwards else found.codes[row],
            int(window["start"]),
            its.assign(name=motif_names(its)),
            f"{called}, {found.title}, {found.method}",
            f"Position on {window['chrom']} (bp); the model reads the {window['strand']} strand",
        )
        style.save(figure, folder / f"{before}{number + 1:02d}")
    return [str(name) for name in found.windows.index[rows]]
