import json

import numpy as np
import optuna
import pytest
import torch

from cisgrammar.common.errors import InputError
from cisgrammar.common.threads import set_threads
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.checkpoints import build_model
from cisgrammar.training import tuning
from cisgrammar.training.loop import train
from cisgrammar.training.tuning import read_best, trial_seed, tune, write_best

SETTINGS = {
    "filters": 4,
    "width": 4,
    "search": {
        "learning_rate": [0.001, 0.1],
        "sigma_motifs": [0.01, 0.5],
        "sigma_net": [0.01, 0.5],
        "batch_size": [8, 16],
    },
}
EPOCHS = 3
TRIALS = 12  # more than TPE's ten random ones


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


@pytest.fixture(scope="module")
def split():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, (40, 12), dtype=np.uint8)
    targets = (codes[:, :1] == 0) + rng.normal(0, 0.1, (40, 2))
    rows = torch.arange(40)
    return Split(
        Inputs(torch.from_numpy(codes)),
        torch.from_numpy(targets.astype(np.float32)),
        rows[:30],
        rows[30:],
    )


@pytest.fixture
def search(split, tmp_path):
    """Run a search with its journal; settings may be changed."""

    def run(**changes):
        settings = {
            "trials": TRIALS,
            "epochs": EPOCHS,
            "grace": 1,
            "reduction": 2,
            "seed": 3,
            "journal": tmp_path / "tuning.journal",
            **changes,
        }
        family_settings = settings.pop("settings", SETTINGS)
        return tune("scover", settings.pop("split", split), family_settings, **settings)

    return run


@pytest.fixture(scope="module")
def uninterrupted(split, tmp_path_factory):
    set_threads(1)
    journal = tmp_path_factory.mktemp("whole") / "tuning.journal"
    best, table = tune(
        "scover", split, SETTINGS, trials=TRIALS, epochs=EPOCHS, grace=1, reduction=2, seed=3,
        journal=journal,
    )  # fmt: skip
    return best, table, journal.read_text().splitlines(keepends=True)


@pytest.fixture
def runs(monkeypatch):
    """Count the trials that are really run."""
    numbers = []
    original = tuning._run

    def run(drawn, *args):
        numbers.extend(trial.number for trial in drawn)
        return original(drawn, *args)

    monkeypatch.setattr(tuning, "_run", run)
    return numbers


def test_table_and_best_agree(uninterrupted):
    best, table, _ = uninterrupted
    assert table["trial"].tolist() == list(range(TRIALS))
    assert table.columns.tolist() == ["trial", "state", "loss", "epochs", *SETTINGS["search"]]
    assert set(table["state"]) == {"complete", "pruned"}
    assert (table["loss"].isna() == (table["state"] == "pruned")).all()
    assert (table.loc[table["state"] == "complete", "epochs"] == EPOCHS).all()
    row = table.loc[table["loss"].idxmin()]
    assert best["trial"] == row["trial"]
    assert best["loss"] == row["loss"]
    assert best["seed"] == trial_seed(3, best["trial"])
    for name in SETTINGS["search"]:
        assert best[name] == row[name]
    assert json.loads(json.dumps(best)) == best


def test_values_stay_inside_the_space(uninterrupted):
    _, table, _ = uninterrupted
    for name, (low, high) in list(SETTINGS["search"].items())[:3]:
        assert table[name].between(low, high).all()
    assert set(table["batch_size"]) == {8, 16}


def test_best_trial_can_be_trained_again(uninterrupted, split):
    best, _, _ = uninterrupted
    model = build_model("scover", 2, SETTINGS, best, best["seed"])
    history = train(
        model, split, learning_rate=best["learning_rate"], batch_size=best["batch_size"],
        epochs=EPOCHS, patience=None, seed=best["order_seed"],
    )  # fmt: skip
    assert history["validation_loss"].min() == best["loss"]


def test_a_search_repeats(uninterrupted, search):
    best, table = search()
    assert best == uninterrupted[0]
    assert table.equals(uninterrupted[1])


def test_another_seed_searches_elsewhere(uninterrupted, search):
    assert not search(seed=4)[1].equals(uninterrupted[1])


@pytest.mark.parametrize(
    "lines_kept, torn",
    [
        (0, False),
        (1, True),
        (2, False),
        (20, True),
        (45, False),
        (90, True),
        (-3, False),
        (-1, True),
    ],
)
def test_a_killed_search_goes_on_to_the_same_result(
    uninterrupted, search, runs, tmp_path, lines_kept, torn
):
    best, table, lines = uninterrupted
    kept = lines[:lines_kept]
    if torn:
        kept.append(lines[lines_kept][:-9])  # killed while it wrote this line
    (tmp_path / "tuning.journal").write_text("".join(kept))
    (tmp_path / "tuning.journal.lock").symlink_to("a process that is no more")
    again = search()
    assert again[0] == best
    assert again[1].equals(table)
    states = [json.loads(line) for line in lines[:lines_kept]]
    finished = sum(line["op_code"] == 6 and line["state"] in (1, 2) for line in states)
    assert runs == list(range(finished, TRIALS))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tuning.journal"]


def test_a_killed_process_goes_on(uninterrupted, search, monkeypatch):
    original = tuning.train_side_by_side
    calls = []

    def killed(*args, **kwargs):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    monkeypatch.setattr(tuning, "train_side_by_side", killed)
    with pytest.raises(KeyboardInterrupt):
        search()
    assert search()[1].equals(uninterrupted[1])
    assert len(calls) == TRIALS + 1  # the killed trial was done again, no other


def test_a_finished_search_is_not_done_again(search, runs):
    first = search()
    runs.clear()
    again = search()
    assert runs == []
    assert again[0] == first[0]
    assert again[1].equals(first[1])


def test_more_trials_only_add(uninterrupted, search, runs):
    search(trials=8)
    runs.clear()
    assert search()[1].equals(uninterrupted[1])
    assert runs == list(range(8, TRIALS))


def test_fewer_trials_than_done_give_what_fewer_would_have_given(search, runs, tmp_path):
    fewer = search(trials=8, journal=tmp_path / "other.journal")
    search()
    runs.clear()
    again = search(trials=8)
    assert runs == []
    assert again[0] == fewer[0]
    assert again[1].equals(fewer[1])
    search()
    assert runs == []  # the others are still there


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 4},
        {"epochs": 2},
        {"grace": 2},
        {"reduction": 3},
        {"settings": {**SETTINGS, "filters": 5}},
        {"settings": {**SETTINGS, "search": {**SETTINGS["search"], "batch_size": [4, 8]}}},
    ],
)
def test_a_journal_of_another_search_is_ignored(search, runs, changes, tmp_path):
    alone = search(trials=3, journal=tmp_path / "new.journal", **changes)
    search(trials=2)
    runs.clear()
    after = search(trials=3, **changes)
    assert runs == [0, 1, 2]
    assert after[1].equals(alone[1])


@pytest.mark.parametrize("part", ["codes", "targets", "train", "validation"])
def test_a_journal_of_other_data_is_ignored(search, split, runs, part):
    search(trials=2)
    runs.clear()
    parts = {name: getattr(split, name).clone() for name in ("targets", "train", "validation")}
    parts["codes"] = split.inputs.codes.clone()
    parts[part][0] += 1
    search(trials=2, split=Split(Inputs(parts.pop("codes")), **parts))
    assert runs == [0, 1]


def test_a_journal_of_other_code_is_ignored(search, runs, monkeypatch):
    search(trials=2)
    runs.clear()
    monkeypatch.setattr(tuning, "source_hash", lambda *_, **__: "changed")
    search(trials=2)
    assert runs == [0, 1]


@pytest.mark.parametrize("content", ["", "no journal\nat all\n", "{}\n{}\n", "\0\0"])
def test_a_damaged_journal_is_ignored(search, runs, tmp_path, content):
    (tmp_path / "tuning.journal").write_text(content)
    search(trials=2)
    assert runs == [0, 1]


def test_trials_that_diverge_are_told_and_not_chosen(search):
    settings = {**SETTINGS, "search": {**SETTINGS["search"], "learning_rate": [1e-3, 1e30]}}
    best, table = search(settings=settings, trials=8)
    assert np.isfinite(best["loss"])
    assert (table["state"] == "pruned").any()
    assert table["loss"].dropna().map(np.isfinite).all()


def test_all_trials_diverging_is_an_error(search, split):
    bad = Split(split.inputs, split.targets * 1e30, split.train, split.validation)
    with pytest.raises(InputError, match=r"none of 3 trials.*`scover\.search\.learning_rate`"):
        search(split=bad, trials=3)


def test_optuna_stays_quiet(search, capfd):
    before = optuna.logging.get_verbosity()
    search(trials=2)
    assert "Trial" not in capfd.readouterr().err
    assert optuna.logging.get_verbosity() == before or before < optuna.logging.WARNING


def test_a_killed_search_of_several_trials_at_once_goes_on_to_the_same_result(search, tmp_path):
    best, table = search(side_by_side=5)
    journal = tmp_path / "tuning.journal"
    lines = journal.read_text().splitlines(keepends=True)
    for kept in (1, len(lines) // 3, len(lines) // 2, len(lines) - 2):
        journal.write_text("".join(lines[:kept]))
        again = search(side_by_side=5)
        assert again[0] == best
        assert again[1].equals(table)


def test_one_trial_at_once_is_what_a_cpu_does(search, uninterrupted):
    best, table = search(side_by_side=1)
    assert best == uninterrupted[0]
    assert table.equals(uninterrupted[1])


def test_where_nothing_is_to_be_searched_nothing_is_tried(search, runs, tmp_path):
    space = {name: [values[0]] * 2 for name, values in SETTINGS["search"].items()}
    best, table = search(settings=SETTINGS | {"search": space})
    assert runs == [] and not (tmp_path / "tuning.journal").exists()
    assert {name: best[name] for name in space} == {n: v[0] for n, v in space.items()}
    assert best["seed"] == trial_seed(3, 0) and best["loss"] is None
    assert table["state"].tolist() == ["given"]
    json.dumps(best)


def test_each_combination_of_choices_is_tried_once(search):
    one = {"learning_rate": [0.01, 0.01], "sigma_motifs": [0.1, 0.1], "sigma_net": [0.1, 0.1]}
    space = one | {"batch_size": [8, 16, 16, 4]}
    best, table = search(settings=SETTINGS | {"search": space})
    assert table["batch_size"].tolist() == [8, 16, 4]
    assert set(table["learning_rate"]) == {0.01}
    assert best["trial"] in table["trial"].tolist()


@pytest.mark.parametrize("text", ["", "{", '{"a": 1', "[]", "{}", "null", "1"])
def test_hyperparameters_that_are_cut_short_are_named(tmp_path, text):
    path = tmp_path / "hyperparameters.json"
    write_best({"a": 1}, path)
    assert read_best(path) == {"a": 1}
    path.write_text(text)
    with pytest.raises(InputError, match=r"hyperparameters\.json: .*Delete it and run again"):
        read_best(path)


@pytest.mark.parametrize("side_by_side", [1, 4])
def test_strands_are_searched_where_the_config_says_so(search, side_by_side):
    best, table = search(settings=SETTINGS | {"strands": "search"}, side_by_side=side_by_side)
    assert set(table["strands"]) == {"forward", "both"}
    assert best["strands"] == table.set_index("trial")["strands"][best["trial"]]
    unsearched, table = search(settings=SETTINGS | {"strands": "both"})
    assert "strands" not in table and "strands" not in unsearched


def test_models_that_cannot_be_trained_side_by_side_are_trained_one_by_one(split, tmp_path):
    kmers = {"blocks": [[1, 1]], "both_strands": True}
    settings = {
        "filters": 3, "width": 4, "bins": 1, "strands": "both", "hidden": 2,
        "level_kmers": kmers, "difference_kmers": kmers,
        "centred": 0.5, "max_shift": 0, "weight_decay": 0.0,
        "search": {"learning_rate": [0.001, 0.01], "batch_size": [8], "dropout": [0.2]},
    }  # fmt: skip
    _, table = tune(
        "hybrid", split, settings, trials=3, epochs=2, grace=2, reduction=2, seed=1,
        journal=tmp_path / "journal", side_by_side=4,
    )  # fmt: skip
    assert table["state"].tolist() == ["complete"] * 3


def test_candidates_are_tried_one_after_the_other_and_nothing_else(search):
    candidates = [
        {"learning_rate": rate, "sigma_motifs": 0.1, "sigma_net": 0.1, "batch_size": 8}
        for rate in (0.01, 0.02)
    ]
    best, table = search(candidates=candidates)
    assert list(table["learning_rate"]) == [0.01, 0.02]
    assert best["learning_rate"] in (0.01, 0.02)


def test_a_search_of_candidates_does_not_go_on_from_another_search(search, split):
    def of(rate):
        return [{"learning_rate": rate, "sigma_motifs": 0.1, "sigma_net": 0.1, "batch_size": 8}]

    search(candidates=of(0.01))
    assert search(candidates=of(0.02))[0]["learning_rate"] == 0.02
