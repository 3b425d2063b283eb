"""Which of several models predicts best."""

from __future__ import annotations

from cisgrammar.common.files import read_table
from cisgrammar.common.inputs import examples
from cisgrammar.models.registry import MODELS
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section, number, table

BASELINE = {"kmer_ridge": "k-mer ridge"}
AGREED = 0.8  # mean r of the pairs of models


def section(files: Files, models: list[str]) -> Section | None:
    """Put all models side by side, on what they have in common."""
    if (path := files.get("models_compared.tsv")) is None:
        return None
    compared = read_table(path)
    scored = compared[compared["value"].notna()].astype({"model": str, "sequences": str})
    names = {model: MODELS[model].title for model in models} | BASELINE
    sentences, tables = [], []
    for (kind, score), rows in scored.groupby(["sequences", "score"], sort=False):
        best = rows.loc[rows["value"].idxmax()]
        others = rows[rows["model"] != best["model"]]
        near = [names[m] for m in others.loc[others["behind_low"] <= 0, "model"]]
        text = f"{score.capitalize()}, on {kind}: "
        if not best["low"] > 0:  # NaN neither
            text += f"no model predicts clearly; the highest r is {number(best['value'])} "
            sentences.append(f"{text}({names[best['model']]}).")
            continue
        text += f"{names[best['model']]} predicts best (r {number(best['value'])})"
        if near:
            text += f"; {' and '.join(near)} cannot be told from it"
        sentences.append(text + ".")
    if len(scored):
        shown = scored.assign(
            model=scored["model"].map(names),
            interval=[
                f"{number(low)} to {number(high)}"
                for low, high in zip(scored["low"], scored["high"], strict=True)
            ],
        )
        columns = ["model", "sequences", "score", "value", "interval", "behind", "n_sequences"]
        labels = ["model", "of", "r", "value", "95% interval", "behind the best", "sequences"]
        shown = shown.astype({"n_sequences": int})
        n_types = int(scored["n_cell_types"].max())
        caption = (
            f"Held-out sequences that the models have in common, averaged over {n_types:,} cell "
            "types. Between cell types: after the means of sequences and of cell types are "
            "subtracted."
        )
        tables.append(table(shown[columns].set_axis(labels, axis=1), caption))
    noted = compared[compared["note"].notna() & (compared["note"] != "")]
    sentences += [
        f"{names[str(model)]} could not be compared on {kind}: {note}."
        for model, kind, note in zip(noted["model"], noted["sequences"], noted["note"], strict=True)
    ]
    sentences += _agreement(files)
    return Section("Which model predicts best?", sentences, tables, in_short=" ".join(sentences))


def _agreement(files: Files) -> list[str]:
    """Say about how many families of motifs the models agree."""
    if (path := files.get("motifs_compared.tsv")) is None:
        return []
    families = read_table(path).drop_duplicates("family")
    if families.empty:
        return ["No family of motifs is known to two models in three cell types or more."]
    agreed = families[families["agreement"] >= AGREED]["family"].astype(str).tolist()
    named = f": {examples(agreed, 6)}" if agreed else ""
    return [
        f"{len(families):,} families of motifs have effects by two models or more. The models "
        f"agree on {len(agreed):,} of them (mean r over cell types of {AGREED:.2f} or more){named}."
    ]
