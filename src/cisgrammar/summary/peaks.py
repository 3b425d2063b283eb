"""Do the models of single cells predict peaks, and does their embedding tell cells apart."""

from __future__ import annotations

from cisgrammar.common.files import read_table
from cisgrammar.models.registry import MODELS
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section, number, table

OTHERS = {"lsi": "latent semantic indexing", "pca": "principal components", "harmony": "Harmony"}


def section(files: Files, model: str) -> Section | None:
    """Give areas under ROC on held-out peaks, and how clusters agree with cell types."""
    title = MODELS[model].title
    if (path := files.get(f"{model}/held_out.tsv")) is None:
        return None
    held_out = read_table(path)
    auroc = held_out.groupby(["labels", "per"])["auroc"].mean()
    cell, peak = (
        _beside(auroc["measured", per], auroc["kmer_ridge", per]) for per in ("cell", "peak")
    )
    sentences = [
        f"{title} tells which held-out peaks are open in a cell with an area under the ROC curve "
        f"of {cell} (mean over cells), and in which cells a held-out peak is open with {peak} "
        "(mean over peaks). The simple method is ridge regression on k-mers; 0.50 is chance."
    ]
    tables = []
    if path := files.get(f"{model}/embedding_metrics.tsv"):
        metrics = read_table(path)
        columns = {"embedding": "embedding of the cells", "ari": "ARI", "ami": "AMI"}
        shown = metrics[[c for c in columns if c in metrics]].rename(columns=columns)
        shown = shown.replace({columns["embedding"]: OTHERS | {model: title}})
        if len(shown.columns) > 1 and shown.iloc[:, 1:].notna().to_numpy().any():
            tables = [table(shown, "How well clusters agree with cell types: 1 is the same")]
    links = {
        "Map of cells": f"{model}/figures/umap_by_cell_type.svg",
        "Held-out peaks": f"{model}/figures/held_out_auroc.svg",
    }
    return Section(f"Does {title} predict?", sentences, tables, links, in_short=sentences[0])


def _beside(model: float, simple: float) -> str:
    """Give a score beside that of the simple method, by the digits that are shown."""
    gain = round(round(model, 2) - round(simple, 2), 2)
    if gain == 0:
        return f"{number(model)}, as much as a simple method"
    side = "above" if gain > 0 else "below"
    return f"{number(model)}, {number(abs(gain))} {side} a simple method"
