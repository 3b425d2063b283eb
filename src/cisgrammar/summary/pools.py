"""Do the models of pools predict: beside the best simple method and the noise ceiling."""

from __future__ import annotations

import pandas as pd

from cisgrammar.common.files import read_table
from cisgrammar.evaluate.comparison import CONTROLS, LABELS
from cisgrammar.models.registry import MODELS
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section, number, table

SCORES = {
    "r2": "R²",
    "doubly_centred_r": "r of what differs between cells",
    "mean_auroc": "area under the ROC curve",
}
DIFFERENCE = "difference (95% interval)"
NEAR = 2 / 3  # of the best simple method's score: below it, motifs are not worth reading


def section(files: Files, model: str) -> Section | None:
    """Put the model's score beside that of the best simple method, with the interval."""
    title = MODELS[model].title
    if (path := files.get(f"{model}/evaluation.tsv")) is None:
        return None
    mean = read_table(path).astype({"fold": str}).set_index("fold").loc["mean"]
    differences = _differences(files, model)
    ceiling = _ceiling(files)
    rows = []
    for score, name in SCORES.items():
        if score not in mean or pd.isna(mean[score]):
            continue
        row = {"score on held-out sequences": name, title: mean[score]}
        of_score = differences[differences["score"] == score]
        if len(of_score):
            best = of_score.loc[of_score["mean"].idxmax()]
            row |= {
                "best simple method": LABELS.get(best["method"], best["method"]),
                "its score": best["mean"],
                DIFFERENCE if best["n_folds"] > 1 else "difference": _interval(best),
            }
        if ceiling is not None:
            row["noise ceiling"] = ceiling.get(score)
        rows.append(row)
    links = {
        "All methods": f"{model}/comparison.html",
        "Figure": f"{model}/figures/method_comparison.svg",
        "Folds": f"{model}/figures/r2_over_folds.svg",
    }
    caption = "Means over folds; the interval is of the paired differences of folds."
    if files.n_folds(model) == 1:
        caption = "Of the one fold that there is, so that differences have no interval."
    frame = pd.DataFrame(rows)
    question = f"Does {title} predict?"
    tables = [table(frame, caption)] if rows else []
    sentence = _sentence(title, rows)
    return Section(question, [sentence], tables, links, in_short=sentence)


def _differences(files: Files, model: str) -> pd.DataFrame:
    path = files.get(f"{model}/paired_differences.tsv")
    if path is None:
        return pd.DataFrame(columns=["score", "method", "mean"])
    differences = read_table(path)
    method = differences["method"].astype(str)
    return differences[~method.isin(CONTROLS) & ~method.str.startswith("without_")].dropna(
        subset=["mean"]
    )


def _ceiling(files: Files) -> pd.Series | None:
    path = files.get("noise_ceiling.tsv")
    return read_table(path).iloc[0] if path else None


def _interval(best: pd.Series) -> str:
    difference = number(best["difference"])
    if best["n_folds"] < 2:
        return difference
    return f"{difference} ({number(best['low'])} to {number(best['high'])})"


def _sentence(title: str, rows: list[dict]) -> str:
    if not rows:
        return f"{title} has no score: its predictions, or what was measured, do not vary."
    first = rows[0]
    score, mine = first["score on held-out sequences"], first[title]
    text = f"{title} predicts held-out sequences with {score} {number(mine)}"
    if "its score" not in first:
        return text + ". No simple method was compared with it."
    is_above = mine > first["its score"]
    word = "above" if is_above else "not above"
    best = f"{first['best simple method']}: {number(first['its score'])}"
    text += f", {word} the best simple method ({best})"
    most = first.get("noise ceiling")
    text += f"; the noise ceiling is {number(most)}." if most is not None else "."
    if is_above:
        return text
    if mine < NEAR * first["its score"]:
        return f"{text} Until it predicts better, its motifs mean little."
    return f"{text} Its motifs can be read, but other methods predict better."
