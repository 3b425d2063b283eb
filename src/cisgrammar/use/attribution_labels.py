"""What bases contribute to each of several labels: which sequences are asked, and all files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.contributions import write_contributions
from cisgrammar.motifs.meme import Motif
from cisgrammar.use.attribution_files import (
    chromosome_sizes,
    seqlet_table,
    write_bigwig,
    write_seqlets,
)
from cisgrammar.use.attributions import attribute
from cisgrammar.use.trained import Trained

EXPLAINED, NOT_DRAWN = "explained", "held out as well, beyond `max_sequences`"


def questions(
    trained: Trained,
    by: str | None,
    labels: Sequence[str] | None,
    differences: Sequence[Sequence[str]] = (),
) -> list[tuple[str, str | None]]:
    """List what is asked: labels (None takes all), then pairs of which the second is subtracted."""
    chosen = sorted(set(trained.labels(by))) if labels is None else labels
    return [(label, None) for label in chosen] + [(one, other) for one, other in differences]


def draw_held_out(trained: Trained, n: int, seed: int) -> tuple[list[str], int]:
    """Draw sequences that a fold has tested: their names, and how many others there are.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    n
        How many at most.
    seed
        Of the draw.
    """
    there = np.flatnonzero(trained.test_fold >= 0)
    rng = np.random.default_rng(derive_seed(seed, "held-out sequences"))
    drawn = np.sort(rng.permutation(there)[:n])
    return trained.dataset.var_names[drawn].tolist(), len(there) - len(drawn)


def attribute_labels(
    trained: Trained,
    asked: Sequence[tuple[str, str | None]],
    motifs: Sequence[Motif],
    contributions: Path,
    tracks: Path,
    **how: Any,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Ask for one label after the other; write contributions, tracks and seqlets of each.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    asked
        From :func:`questions`.
    motifs
        Known ones, by which seqlets are named.
    contributions, tracks
        Folders for HDF5, and for bigWig and BED; files are named by number and label.
    how
        As for :func:`cisgrammar.use.attributions.attribute`, without the labels.

    Returns
    -------
    labels
        file (without its ending), label, minus, sequences, seqlets, named (seqlets with a motif).
    seqlets
        label, minus, and the columns of :func:`cisgrammar.use.attribution_files.seqlet_table`.
    left_out
        As :func:`cisgrammar.use.attributions.attribute` gives it; it is the same for all labels.
    """
    for folder in (contributions, tracks):
        folder.mkdir(parents=True, exist_ok=True)
    rows, each, left_out = [], [], pd.DataFrame()
    for number, (label, minus) in enumerate(asked, start=1):
        found, left_out = attribute(trained, label=label, minus=minus, **how)
        file = f"{number:02d}_{re.sub('[^A-Za-z0-9]+', '_', found.title)}"
        write_contributions(found, contributions / f"{file}.h5")
        folder = Path(str(trained.dataset.filename)).parent
        sizes = chromosome_sizes(folder, found.windows)
        write_bigwig(found, sizes, tracks / f"{file}.bw")
        seqlets = seqlet_table(found, motifs)
        write_seqlets(seqlets, tracks / f"{file}.bed")
        named = int(seqlets["motif"].notna().sum())
        rows.append((file, label, minus or "", len(found.windows), len(seqlets), named))
        each.append(seqlets.assign(label=label, minus=minus or ""))
    labels = pd.DataFrame(rows, columns=["file", "label", "minus", "sequences", "seqlets", "named"])
    seqlets = pd.concat(each, ignore_index=True)
    return labels, seqlets[["label", "minus", *each[0].columns[:-2]]], left_out


def count_sequences(n: int, left_out: pd.DataFrame, not_drawn: int = 0) -> pd.DataFrame:
    """Count what was explained and what was not, by reason: reason, sequences."""
    rows = [(EXPLAINED, n), *([(NOT_DRAWN, not_drawn)] if not_drawn else [])]
    rows += list(left_out["reason"].value_counts(sort=False).items())
    return pd.DataFrame(rows, columns=["reason", "sequences"])
