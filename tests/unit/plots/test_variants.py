import numpy as np
import pandas as pd
import pytest

from cisgrammar.plots.variants import variant_heatmap, variant_overview


def tables(n=6, labels=("01", "NA"), judged=True):
    effects = pd.DataFrame(
        [
            (f"rs{i}", "chr1", i, "A", "C", f"G{i}", label, (i + 1) * (-1) ** i / (1 + k))
            for i in range(n)
            for k, label in enumerate(labels)
        ],
        columns=["variant", "chrom", "position", "ref", "alt", "sequence", "label", "effect"],
    )
    if judged:
        effects = effects.assign(p=np.linspace(0.01, 1, len(effects)), q=0.05)
    summary = effects.drop_duplicates("variant").iloc[::-1].reset_index(drop=True)
    more = {"gene_name": summary["sequence"], "offset": range(n), "lost": "", "gained": ""}
    summary = summary.assign(**more)
    summary.loc[0, ["lost", "gained"]] = ["TF1;TF2", "TF3"]
    return summary, effects


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_largest_effects_stand_on_top_with_their_motifs():
    summary, effects = tables()
    figure = variant_heatmap(summary, effects, 3)
    said = texts(figure)
    rows = [text for text in said if text.startswith("rs")]
    assert [row.split()[0] for row in rows] == ["rs5", "rs4", "rs3"]
    assert rows[0].endswith("(−TF1 +TF3)") and "G5" in rows[0]
    assert {"01", "NA"} <= set(said)


def test_one_variant_and_one_label_are_drawn():
    summary, effects = tables(1, labels=["01"])
    assert variant_heatmap(summary, effects, 40).axes
    assert len(variant_overview(summary, effects).axes) == 2


def test_all_are_drawn_by_position_and_against_chance():
    summary, effects = tables()
    places, chance = variant_overview(summary, effects).axes
    assert [c.get_offsets().shape[0] for c in places.collections] == [0, 6]
    assert [text.get_text() for text in chance.get_legend().get_texts()] == ["01", "NA"]
    assert len(variant_overview(*tables(judged=False)).axes) == 1


def test_nothing_is_told_where_there_is_nothing():
    summary, effects = tables()
    for draw in (variant_overview, lambda s, e: variant_heatmap(s, e, 5)):
        with pytest.raises(ValueError, match="No variant lies in a window"):
            draw(summary.iloc[:0], effects.iloc[:0])
