import pandas as pd
import pytest
from plots_checks import assert_legible, saved_bytes, shown_texts

from cisgrammar.plots import evaluation, training


def histories(folds):
    return pd.DataFrame(
        [
            {
                "fold": fold,
                "epoch": epoch,
                "train_loss": 1 / (epoch + 1),
                "validation_loss": 1 / (epoch + 1) + 0.01 * epoch,
                "best": epoch == 9,
            }
            for fold in range(folds)
            for epoch in range(12)
        ]
    )


def scores(folds):
    rows = [*map(str, range(folds)), "mean", "pooled"]
    table = pd.DataFrame({"fold": rows})
    for i, name in enumerate(evaluation.SCORES):
        table[name] = [0.1 * (i + 1) + 0.01 * j for j in range(folds)] + [9, 9]
    return table


@pytest.mark.parametrize("folds", [1, 2, 10])
def test_loss_curves_have_a_panel_a_fold(folds):
    figure = training.loss_curves(histories(folds))
    assert len(figure.axes) == folds
    assert {"Epoch", "Loss (mean squared error)", "Fold 0"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_loss_curves_mark_the_kept_epoch():
    panel = training.loss_curves(histories(1)).axes[0]
    assert panel.collections[0].get_offsets().tolist() == [[9, pytest.approx(0.19)]]


def test_loss_curves_are_saved_with_the_same_bytes(tmp_path):
    first, second = (
        saved_bytes(training.loss_curves(histories(2)), tmp_path / name) for name in "ab"
    )
    assert first == second


@pytest.mark.parametrize("folds, ceiling", [(1, None), (3, 0.5), (10, 0.2)])
def test_scores_show_folds_and_not_the_summary_rows(folds, ceiling):
    figure = evaluation.r2_over_folds(scores(folds), ceiling)
    left, right = figure.axes
    assert len(left.collections[0].get_offsets()) == folds
    assert left.get_ylim()[1] < 1 and right.get_ylim()[1] < 1  # the 9s of mean and pooled
    assert ("ceiling" in shown_texts(figure)) == (ceiling is not None)
    assert_legible(figure)


@pytest.mark.parametrize("draw", [training.loss_curves, evaluation.r2_over_folds])
def test_empty_input_is_an_error(draw):
    table = histories(1) if draw is training.loss_curves else scores(1)
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(table.iloc[:0])


def comparison(methods, folds=3):
    return pd.DataFrame(
        [
            {
                "method": method, "fold": fold,
                "r2": mean + 0.01 * fold, "centred_r": mean, "doubly_centred_r": mean,
            }
            for method, mean in methods.items()
            for fold in range(folds)
        ],
        columns=["method", "fold", "r2", "centred_r", "doubly_centred_r"],
    )  # fmt: skip


@pytest.mark.parametrize("ceiling", [None, {"r2": 0.4}])
def test_method_comparison_names_methods_and_kinds(ceiling):
    table = comparison({"scover": 0.2, "kmer_ridge": 0.1, "something else": 0.3, "mean": 0.0})
    table.loc[table["method"] == "mean", ["r2", "centred_r"]] = float("nan")
    figure = evaluation.method_comparison(table, "scover", ceiling)
    texts = shown_texts(figure)
    assert {"scover", "k-mer counts, ridge regression", "something else"} <= set(texts)
    assert {"model", "baseline", "R² on held-out sequences"} <= set(texts)
    assert "control" not in texts
    assert ("dashed: noise ceiling 0.40" in texts) == (ceiling is not None)
    assert_legible(figure)


def test_the_model_is_on_top_then_baselines_then_controls_of_the_costliest_families():
    removed = {f"without_Family/{i}": 0.2 - 0.001 * i for i in range(30)}
    others = {"shuffled_nucleotides": 0.01, "one": 0.1, "two": 0.4}
    table = comparison({**others, **removed, "scover": 0.3})
    figure = evaluation.method_comparison(table, "scover", n_without=3)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [
        *("scover", "two", "one"),
        *(f"without Family/{i}" for i in (27, 28, 29)), "nucleotides shuffled",
    ]  # fmt: skip
    assert_legible(figure)


def test_classes_have_a_panel_of_their_own():
    table = comparison({"scover": 0.2, "kmer_logistic": 0.1}).query("fold == 0")
    figure = evaluation.method_comparison(table.assign(mean_auroc=[0.9, 0.95]), "scover")
    assert [axes.get_xlabel() for axes in figure.axes][3:] == ["area under\nthe ROC curve"]
    dots = [dot.get_offsets()[0, 0] for dot in figure.axes[3].collections]
    assert dots == [0.9, 0.95]  # the model first; one fold has no line for its mean
    assert_legible(figure)


def test_method_comparison_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="nothing to draw"):
        evaluation.method_comparison(comparison({}), "scover")
