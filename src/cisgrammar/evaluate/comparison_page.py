"""A page of HTML for the report: what the model is worth, in words and in a table."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd

from cisgrammar.evaluate.comparison import LABELS
from cisgrammar.models.registry import MODELS

SHOWN = {
    "r2": "R²",
    "centred_r": "r, gene means subtracted",
    "doubly_centred_r": "r, gene and pool means subtracted",
    "mean_pool_r": "r, mean over pools",
    "mean_gene_r": "r, mean over sequences",
    "mean_auroc": "area under ROC",
    "mse": "MSE",
}
STYLE = """
body { font-family: sans-serif; font-size: 14px; margin: 2em; max-width: 75em; }
table { border-collapse: collapse; margin-top: 1em; }
th, td { padding: .25em .8em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
"""


def page(
    sentence: str,
    table: pd.DataFrame,
    differences: pd.DataFrame,
    model: str,
    ceiling: Mapping[str, float] | None = None,
) -> str:
    """Write the page.

    Parameters
    ----------
    sentence
        Of :func:`cisgrammar.evaluate.comparison.verdict`.
    table
        comparison.tsv.
    differences
        paired_differences.tsv.
    model
        The method that is judged.
    ceiling
        noise_ceiling.tsv, where it could be estimated.

    Returns
    -------
    HTML, whole: one row a method, means over folds.
    """
    means = table.groupby("method", sort=False)[[s for s in SHOWN if s in table]].mean()
    r2 = differences[differences["score"] == "r2"].set_index("method")
    rows = [
        _row("th", ["method", *(SHOWN[s] for s in means), f"R² of {_named(model)} minus it", "p"])
    ]
    for method, scores in means.iterrows():
        cells = [_named(str(method)), *(_number(value) for value in scores)]
        if method in r2.index:
            low, high, p = r2.loc[method, ["low", "high", "p_value"]]
            difference = _number(r2.loc[method, "difference"])
            if r2.loc[method, "n_folds"] > 1:
                cells += [f"{difference} ({_number(low)} to {_number(high)})", f"{p:.2g}"]
            else:
                cells += [difference, ""]
        else:
            cells += ["", ""]
        rows.append(_row("td", cells))
    if ceiling is not None:
        most = [_number(ceiling[s]) if s in ceiling else "" for s in means]
        rows.append(_row("td", ["noise ceiling", *most, "", ""]))
    body = f"<p>{html.escape(sentence)}</p>\n<table>\n" + "\n".join(rows) + "\n</table>"
    head = f"<meta charset='utf-8'><title>{html.escape(model)}</title><style>{STYLE}</style>"
    return f"<!DOCTYPE html>\n<html><head>{head}</head>\n<body>{body}</body></html>\n"


def _named(method: str) -> str:
    """Say a method in words, and its name in the tables."""
    if method in MODELS:
        return MODELS[method].title
    return f"{LABELS[method]} ({method})" if method in LABELS else method


def _row(tag: str, cells: list[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3f}"
