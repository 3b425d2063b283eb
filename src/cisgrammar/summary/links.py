"""Which peaks drive which genes: how many links are called, and the strongest."""

from __future__ import annotations

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section, number, table

N_ROWS = 10
OWN = {  # the model, forms of it, and controls: not simple methods
    *("model", "shared_model", "highest_activity"),
    *("no_distance", "permuted_cells", "shuffled_sequences"),
}


def section(files: Files, model: str) -> Section | None:
    """Count the links that are called, show the strongest, and say how the score does."""
    if (path := files.get(f"{model}/links/model/links.tsv")) is None:
        return None
    links = read_table(path)
    calls = links["call"].dropna().astype(str).value_counts()
    of_each = " and ".join(f"{n:,} ({call})" for call, n in calls.items() if call) or "none"
    sentences = [
        f"Of {len(links):,} pairs of a gene and a peak nearby, {of_each} are called links at the "
        "false discovery rates of the config."
    ]
    if scores := files.get(f"{model}/links/evaluation.tsv"):
        sentences += _against_truth(scores)
    columns = {
        "gene_name": "gene",
        "peak": "peak",
        "distance": "distance (bp)",
        "sign": "sign",
        "best_cell_type": "cell type",
        "link_score": "score",
        "fdr": "FDR",
    }
    best = links.nlargest(N_ROWS, "link_score")[list(columns)].rename(columns=columns)
    caption = "The pairs with the highest scores; distance: from the TSS, along the gene's strand"
    more = {
        "By distance": f"{model}/figures/links_by_distance.svg",
        "Activity by cell type": f"{model}/figures/link_activities.svg",
        "Motifs in linked peaks": f"{model}/figures/link_motifs.svg",
        "All pairs": f"{model}/links/model/links.tsv",
        "For the UCSC browser": f"{model}/links/tracks/links.interact",
    }
    in_short = " ".join(sentences)
    title = "Links of peaks and genes"
    return Section(title, sentences, [table(best, caption)], more, in_short=in_short)


def _against_truth(path: Path) -> list[str]:
    scores = read_table(path)
    scores = scores[scores["distance_window"].astype(str) == "all"]
    texts = []
    for truth, rows in scores.groupby("by_truth", sort=False):
        by_method = rows.set_index("method")["auprc"].dropna()
        others = by_method.drop([method for method in by_method.index if method in OWN])
        if "model" in by_method and len(others):
            best = others.idxmax()
            word = "above" if by_method["model"] > others[best] else "not above"
            texts.append(
                f"Against {truth} links its AUPRC is {number(by_method['model'])}, {word} the best "
                f"simple score ({best}: {number(others[best])})."
            )
    return texts
