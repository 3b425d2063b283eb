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
    "kmers_and_features": "k-mers and features",
}
GENES = {"all": "all", "known_features": "features all known"}


def section(files: Files, model: str) -> Section | None:
    """Put r over held-out genes beside that of simple methods, level by level."""
    title = MODELS[model].title
    if (path := files.get(f"{model}/population_summary.tsv")) is None:
        return None
    summary = read_table(path)
    summary = summary[summary["genes"].isin(list(GENES))].astype({"level": str, "method": str})
    every = summary[summary["genes"] == "all"]
    if not ((every["method"] == "flags") & every["r"].notna()).any():  # no feature is missing
        summary = every
    by = ["level", "genes"]
    wide = summary.pivot_table("r", by, "method", dropna=False, sort=False)
    columns = [model, *(method for method in METHODS if method in wide)]
    wide = wide.reindex(columns=columns)
    levels = list(dict.fromkeys(summary["level"]))
    sentences = [_sentence(level, wide.loc[level], model, title) for level in levels]
    rows = [pair for level in levels for genes in GENES if (pair := (level, genes)) in wide.index]
    frame = wide.loc[rows].rename(columns=METHODS | {model: title}).reset_index()
    frame["genes"] = frame["genes"].map(GENES)
    caption = "r over held-out genes, median over the populations of a level"
    links = {
        "Scores": f"{model}/figures/population_scores.svg",
        "Gain over the tissue": f"{model}/figures/gain_against_similarity.svg",
        "Bases that matter": f"{model}/figures/effects_by_position.svg",
    }
    tables = [table(frame, caption)]
    in_short = " ".join(sentences)
    return Section(f"Does {title} predict?", sentences, tables, links, in_short=in_short)


def _sentence(level: str, r: pd.DataFrame, model: str, title: str) -> str:
    """Say how well genes are predicted, and beside what; of those with all features apart."""
    if pd.isna(r.loc["all", model]):
        return f"{level}: r of {title} is not defined: a side does not vary."
    text = f"{level}: {title} predicts held-out genes with r {_beside(r.loc['all'], model)}"
    if "known_features" in r.index and pd.notna(r.loc["known_features", model]):
        beside = _beside(r.loc["known_features"], model)
        text += f"; those whose features are all known with {beside}"
    return f"{text}."


def _beside(r: pd.Series, model: str) -> str:
    simple = r.drop([model, "tissue"], errors="ignore").astype(float)
    if not simple.notna().any():
        return number(r[model])
    best = simple.idxmax()
    word = "above" if r[model] > r[best] else "not above"
    return f"{number(r[model])}, {word} the best simple method ({METHODS[best]}: {number(r[best])})"
