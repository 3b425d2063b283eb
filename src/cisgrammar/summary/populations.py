"""Do the models of populations predict, and do they know more than the tissue's model."""

from __future__ import annotations

import pandas as pd

from cisgrammar.common.files import read_table
from cisgrammar.models.registry import MODELS
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section, number, table

METHODS = {
    "tissue": "the tissue's model",
    "features": "features of genes alone",
    "flags": "which features are missing",
    "kmer_ridge": "k-mer ridge",
}


def section(files: Files, model: str) -> Section | None:
    """Put r over held-out genes beside that of simple methods, level by level."""
    title = MODELS[model].title
    if (path := files.get(f"{model}/population_summary.tsv")) is None:
        return None
    summary = read_table(path)
    summary = summary[summary["genes"] == "all"].astype({"level": str, "method": str})
    r = summary.set_index(["level", "method"])["r"]
    wide = r.unstack().reindex(summary["level"].unique())  # noqa: PD010 (others drop what is NA)
    simple = [method for method in METHODS if method in wide and method != "tissue"]
    sentences = []
    for level, row in wide.iterrows():
        if pd.isna(row[model]):
            sentences.append(f"{level}: r of {title} is not defined: a side does not vary.")
            continue
        text = f"{level}: {title} predicts held-out genes with r {number(row[model])}"
        if row[simple].notna().any():
            best = row[simple].astype(float).idxmax()
            word = "above" if row[model] > row[best] else "not above"
            text += f", {word} the best simple method ({METHODS[best]}: {number(row[best])})"
        sentences.append(text + ".")
    columns = [model, *(method for method in METHODS if method in wide)]
    frame = wide[columns].rename(columns=METHODS | {model: title}).reset_index()
    caption = "r over held-out genes, median over the populations of a level"
    links = {
        "Scores": f"{model}/figures/population_scores.svg",
        "Gain over the tissue": f"{model}/figures/gain_against_similarity.svg",
        "Bases that matter": f"{model}/figures/effects_by_position.svg",
    }
    tables = [table(pd.DataFrame(frame), caption)]
    in_short = " ".join(sentences)
    return Section(f"Does {title} predict?", sentences, tables, links, in_short=in_short)
