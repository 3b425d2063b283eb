import numpy as np
import pytest
import torch
from made_accessibility import TRAINING, build, motif_split
from scipy import sparse

from cisgrammar.common.threads import set_threads
from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.data.split import Split
from cisgrammar.models.scbasset_start import start_of_cells
from cisgrammar.training.loop import train

GROUP = np.repeat([0, 1, 2], [40, 30, 20])


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


def three_groups(share=0.3, seed=1, depth=None):
    """Cells of three groups, each with 100 peaks of its own among 300: cells x peaks."""
    rng = np.random.default_rng(seed)
    chance = np.where(np.repeat([0, 1, 2], 100) == GROUP[:, None], share, share / 5)
    chance = chance * (np.ones(len(GROUP)) if depth is None else depth)[:, None]
    return (rng.random(chance.shape) < chance).astype(np.uint8)


def start(matrix, peaks=None, n=6, batches=None):
    peaks = np.arange(matrix.shape[1]) if peaks is None else peaks
    entries = OpenEntries.of_matrix(sparse.csr_matrix(matrix))
    return start_of_cells(entries, torch.as_tensor(peaks), n, batches)


def distances(weight):
    """Mean distance within groups, and between them."""
    apart = np.linalg.norm(weight[:, None] - weight, axis=2)
    alike = GROUP[:, None] == GROUP
    return apart[alike].mean(), apart[~alike].mean()


def test_groups_start_apart():
    weight, _ = start(three_groups())
    within, between = distances(weight)
    assert between > 3 * within
    assert weight.dtype == np.float32 and weight.shape == (90, 6)
    assert weight.mean(axis=0) == pytest.approx(0, abs=1e-6)
    assert weight.var() == pytest.approx(2 / 6, rel=1e-5)


def test_two_components_tell_three_groups_apart_and_noise_is_shrunk():
    spread = start(three_groups())[0].var(axis=0)
    assert spread[:2].min() > 5 * spread[2:].max()


def test_intercept_is_the_logit_of_the_share_of_open_peaks():
    matrix = np.zeros((5, 8), dtype=np.uint8)
    matrix[:, :3] = 1
    matrix[0] = 1
    matrix[1] = 0
    _, intercept = start(matrix, n=2)
    by_hand = [np.log(8.5 / 0.5), np.log(0.5 / 8.5), *[np.log(3.5 / 5.5)] * 3]
    assert intercept == pytest.approx(by_hand, rel=1e-6)


def test_depth_goes_into_the_intercept():
    depth = np.random.default_rng(2).uniform(0.3, 1, len(GROUP))
    matrix = three_groups(share=0.6, depth=depth)
    weight, intercept = start(matrix)
    depth = matrix.sum(axis=1)
    assert np.corrcoef(intercept, np.log(depth))[0, 1] > 0.98
    assert abs(np.corrcoef(weight[:, :2].T, depth)[2, :2]).max() < 0.5
    within, between = distances(weight)
    assert between > 2 * within


def test_only_training_peaks_are_looked_at():
    matrix, train_part = three_groups(), np.arange(0, 300, 2)
    other = matrix.copy()
    other[:, 1::2] = 1 - other[:, 1::2]
    for one, two in zip(start(matrix, train_part), start(other, train_part), strict=True):
        np.testing.assert_array_equal(one, two)
    weight, _ = start(matrix, train_part)
    expected, _ = start(matrix[:, train_part])
    np.testing.assert_array_equal(weight, expected)


def test_means_of_batches_are_taken_out():
    matrix, batches = three_groups(), np.tile([0, 1], 45)
    matrix[batches == 1, :60] = 1
    plain, _ = start(matrix)
    without, _ = start(matrix, batches=batches)
    apart = [
        np.linalg.norm(w[batches == 0].mean(0) - w[batches == 1].mean(0)) for w in (plain, without)
    ]
    assert apart[0] > 0.5 and apart[1] < 1e-6


def test_fewer_peaks_than_components_leave_columns_of_0():
    weight, intercept = start(three_groups()[:, :5], n=8)
    assert (weight[:, 2:] == 0).all() and weight[:, :2].any()
    assert np.isfinite(weight).all() and np.isfinite(intercept).all()


def test_cells_that_are_all_alike_start_at_0():
    weight, _ = start(np.ones((6, 9), dtype=np.uint8), n=3)
    assert not weight.any()


def test_the_same_bytes_for_any_number_of_threads():
    weights = []
    for n_threads in (1, 2):
        set_threads(n_threads)
        weights.append(start(three_groups())[0])
    np.testing.assert_array_equal(*weights)


def test_a_model_starts_from_components_of_its_training_part():
    split, model = motif_split(), build(start="components")
    model.prepare(split)
    weight, intercept = start_of_cells(split.targets, split.train, 4)
    np.testing.assert_array_equal(model.head.weight.detach(), weight)
    np.testing.assert_array_equal(model.head.bias.detach(), intercept)
    assert all(p.requires_grad for p in model.parameters())


def test_where_batches_are_corrected_for_cells_start_without_their_means():
    batches = [0, 1] * 15
    split, model = motif_split(), build(start="components", batch_of_target=batches)
    model.prepare(split)
    weight = model.head.weight.detach().numpy()
    assert weight[::2].mean(axis=0) == pytest.approx(weight[1::2].mean(axis=0), abs=1e-6)


def test_the_published_start_is_left_to_chance():
    model, untouched = build(start="random"), build(start="random")
    model.prepare(motif_split())
    for key, value in untouched.state_dict().items():
        assert torch.equal(model.state_dict()[key], value)


def test_cells_move_by_their_share_of_the_step():
    """Adam's first step is the learning rate, whatever the gradient."""
    moved = []
    for changes in ({"start": "random"}, {"start": "components"}, {"cells_step": 0.1}):
        model, before = build(**changes), build()
        one_step = {**TRAINING, "epochs": 1, "batch_size": 160}
        train(model, motif_split(), **one_step)
        moved.append(
            [
                (getattr(model, name).weight - getattr(before, name).weight).abs().median().item()
                for name in ("head", "stem")
            ]
        )
    assert moved[0][0] == pytest.approx(0.01, rel=0.02)
    assert moved[1][0] == moved[2][0] == pytest.approx(0.001, rel=0.02)
    assert [of_stem for _, of_stem in moved] == pytest.approx([0.01] * 3, rel=0.02)


def test_training_keeps_what_cells_started_with_in_common():
    split = motif_split()
    model = build(start="components")
    model.prepare(split)
    history = train(model, split, **{**TRAINING, "epochs": 20})
    assert isinstance(split, Split) and history["train_auroc"].max() > 0.7
