"""What the user's variants change: how many more than chance, and the largest effects."""

from __future__ import annotations

from cisgrammar.common.files import read_table
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section, table

N_ROWS = 10
SIGNIFICANT = 0.1
COLUMNS = {
    "variant": "variant",
    "gene_name": "gene",
    "label": "in",
    "effect": "effect",
    "q": "q",
    "gained": "makes",
    "lost": "breaks",
}


def section(files: Files, model: str) -> Section | None:
    """Count variants with effects and those that were left out; show the largest effects."""
    folder = f"{model}/variants"
    largest, reasons_left = (files.get(f"{folder}/{name}.tsv") for name in ("summary", "counts"))
    if largest is None or reasons_left is None:
        return None
    summary, counts = read_table(largest), read_table(reasons_left)
    n, left_out = int(counts["variants"].iloc[0]), counts.iloc[1:]
    sentences = [f"{n:,} variants lie in windows of the model."]
    if "q" in summary:
        clear = int((summary["q"] <= SIGNIFICANT).sum())
        sentences[0] += (
            f" In {clear:,} of them the largest effect exceeds that of random variants of the same "
            f"kind in shuffled sequence (q at most {SIGNIFICANT:g})."
        )
    if len(left_out):
        reasons = [f"{row.variants:,} {row.reason}" for row in left_out.itertuples()]
        sentences.append(f"Left out: {'; '.join(reasons)}.")
    shown = [column for column in COLUMNS if column in summary]
    best = summary.head(N_ROWS)[shown].rename(columns=COLUMNS)
    for column in {"effect", "q"} & set(best):
        best[column] = best[column].map("{:.2g}".format)
    for column in {"makes", "breaks"} & set(best):  # the first of each
        best[column] = best[column].str.partition(";")[0]
    more = {
        "All effects": f"{folder}/effects.tsv",
        "Annotated VCF": f"{folder}/variants.vcf.gz",
        "By cell type": f"{model}/figures/variant_effects.svg",
    }
    tables = [table(best, "The largest effects")] if len(best) else []
    return Section("Variants", sentences, tables, more, in_short=sentences[0])
