"""Search a fold's hyperparameters; what is done is kept in a journal and never done again."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import alone_with, damaged, whole_file
from cisgrammar.common.progress import progress
from cisgrammar.common.provenance import source_hash
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.split import Split
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.checkpoints import build_model
from cisgrammar.models.registry import MODELS
from cisgrammar.training.loop import train_side_by_side

logger = logging.getLogger(__name__)

Space = dict[str, tuple[str, list[Any]]]  # see SequenceModel.search_space
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def tune(
    name: str,
    split: Split,
    settings: dict[str, Any],
    *,
    trials: int,
    epochs: int,
    grace: int,
    reduction: int,
    seed: int,
    journal: str | Path,
    side_by_side: int | None = None,
    candidates: list[dict[str, Any]] | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Search the hyperparameters with the lowest validation loss.

    Parameters
    ----------
    name
        Of the model, in the registry.
    split
        One fold's data.
    settings
        The model's settings, with its ``search`` space.
    trials, epochs
        Models to try, and passes over the training part for each. Where all that is searched are
        choices, each combination is tried once.
    grace, reduction
        ASHA's: epochs before a trial may be stopped, and the share that goes on (1/reduction).
    seed
        Seed of this fold's search.
    journal
        File in which trials are kept. Unfinished trials of a killed run are done again, the
        finished ones are not. A journal of another search (other data, settings or code) is
        replaced.
    side_by_side
        Trials that are drawn and trained at once. None: 8 on a GPU, which one small network
        does not keep busy; 1 on a CPU, where it gains nothing (docs/performance.md). Always 1 for
        a model without this ability.
    candidates
        Hyperparameters to try, one trial each, in place of a search of the whole space: those
        that did best in another fold (:func:`~cisgrammar.training.warm_start.leading_trials`).

    Returns
    -------
    best : dict
        Hyperparameters of the best trial, its ``trial`` number, ``loss``, ``seed`` (of the
        initial weights) and ``order_seed`` (of the order of sequences). Where the search space
        leaves no choice, nothing is tried: ``loss`` is None.
    table : DataFrame
        Columns trial, state, loss, epochs, then one per hyperparameter.

    Raises
    ------
    InputError
        If every trial diverged, or another job is writing to the journal.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Training the neural network": TPE and ASHA.
    """
    space = MODELS[name].load().search_space(settings)
    if not _open(space):
        return _the_only_one(space, seed)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    at_once = 1
    if "side_by_side" in MODELS[name].abilities:
        at_once = side_by_side or (8 if split.device.type == "cuda" else 1)
    grid = candidates or _grid(space)
    trials = min(trials, len(grid)) if grid else trials
    numbers = [epochs, grace, reduction, seed, at_once]
    identity = _identity(name, split, settings, numbers, candidates)
    with alone_with(journal):
        study = _study(Path(journal), identity, trials, at_once)
        study.pruner = SuccessiveHalvingPruner(min_resource=grace, reduction_factor=reduction)
        done = len(study.get_trials(deepcopy=False, states=FINISHED))
        bar = progress(None, "trials", total=trials, done=done)
        for first in range(done, trials, at_once):
            group = range(first, min(first + at_once, trials))
            drawn = [_draw(study, space, seed, n, at_once > 1, grid) for n in group]
            outcomes = _run(drawn, name, split, settings, epochs, seed)
            for trial, (state, loss) in zip(drawn, outcomes, strict=True):
                study.tell(trial, loss, state=state)
            finished = study.get_trials(deepcopy=False, states=FINISHED[:1])
            if losses := [t.value for t in finished if t.value is not None]:
                bar.set_postfix(best_loss=f"{min(losses):.5g}", refresh=False)
            bar.update(len(drawn))
        bar.close()
        table = _table(study, trials)
    complete = table[table["state"] == "complete"]
    if complete.empty:
        raise InputError(
            f"tuning: none of {trials} trials ended with a finite loss. The learning rates in "
            f"`{name}.search.learning_rate` are too high, or the targets hold extreme values."
        )
    best = complete.loc[complete["loss"].idxmin()]
    number = int(best["trial"])
    params = study.trials[number].params
    found = {key: params[key] for key in space}
    return {**found, "trial": number, "loss": best["loss"], **_seeds(seed, number)}, table


def _open(space: Space) -> list[str]:
    """List the hyperparameters that there is something to search of."""
    return [name for name, (_, values) in space.items() if len(set(values)) > 1]


def _grid(space: Space) -> list[dict[str, Any]]:
    """List all combinations of choices; none where a range is searched."""
    if any(space[name][0] != "choice" for name in _open(space)):
        return []
    values = [dict.fromkeys(values) for _, values in space.values()]
    return [dict(zip(space, each, strict=True)) for each in product(*values)]


def _the_only_one(space: Space, seed: int) -> tuple[dict[str, Any], pd.DataFrame]:
    """Give what :func:`tune` gives where hyperparameters can have one value only."""
    found = {key: values[0] for key, (_, values) in space.items()}
    logger.info("nothing to search: %s", found)
    row = {"trial": 0, "state": "given", "loss": None, "epochs": 0, **found}
    return {**found, "trial": 0, "loss": None, **_seeds(seed, 0)}, pd.DataFrame([row])


def _seeds(seed: int, number: int) -> dict[str, int]:
    return {"seed": trial_seed(seed, number), "order_seed": derive_seed(seed, "order")}


def trial_seed(seed: int, number: int) -> int:
    """Seed of one trial's initial weights; the order of sequences is one for all trials."""
    return derive_seed(seed, "trial", number)


def _draw(
    study: optuna.Study,
    space: Space,
    seed: int,
    number: int,
    in_company: bool,
    grid: list[dict[str, Any]],
) -> optuna.Trial:
    """Draw a trial's hyperparameters, or take the next of those that are given."""
    if grid:
        study.enqueue_trial(grid[number])
    # one sampler per trial: a search that was killed goes on as if it had not been
    sampler_seed = derive_seed(seed, "sampler", number)
    study.sampler = TPESampler(seed=sampler_seed, constant_liar=in_company)
    trial = study.ask()
    _suggest(trial, space)
    return trial


def _run(
    drawn: list[optuna.Trial],
    name: str,
    split: Split,
    settings: dict[str, Any],
    epochs: int,
    seed: int,
) -> list[tuple[TrialState, float | None]]:
    """Train the trials that were drawn together: side by side those of one batch size and shape."""
    outcomes: dict[int, tuple[TrialState, float | None]] = {}
    groups: dict[str, tuple[list[optuna.Trial], list[SequenceModel]]] = {}
    for trial in drawn:
        own = trial_seed(seed, trial.number)
        network = build_model(name, split.targets.shape[1], settings, trial.params, own)
        key = json.dumps([trial.params["batch_size"], network.sizes()])
        trials, networks = groups.setdefault(key, ([], []))
        trials.append(trial)
        networks.append(network.to(split.device))
    for trials, networks in groups.values():
        losses = _train(trials, networks, split, epochs, seed)
        for trial, loss in zip(trials, losses, strict=True):
            state = TrialState.PRUNED if loss is None else TrialState.COMPLETE
            outcomes[trial.number] = (state, loss)
    return [outcomes[trial.number] for trial in drawn]


def _train(
    group: list[optuna.Trial],
    networks: list[SequenceModel],
    split: Split,
    epochs: int,
    seed: int,
) -> list[float | None]:
    """Give each trial's lowest validation loss, None where it was stopped or diverged."""
    stopped: set[int] = set()

    def stop(number: int, epoch: int, loss: float) -> bool:
        group[number].report(loss, epoch)
        if epoch < epochs and group[number].should_prune():
            stopped.add(number)
        return number in stopped

    for network in networks:
        network.prepare(split)
    histories = train_side_by_side(
        networks,
        split,
        learning_rates=[trial.params["learning_rate"] for trial in group],
        batch_size=group[0].params["batch_size"],
        epochs=epochs,
        patience=None,
        seed=derive_seed(seed, "order"),
        stop=stop,
    )
    return [
        None if history is None or number in stopped else float(history["validation_loss"].min())
        for number, history in enumerate(histories)
    ]


def _suggest(trial: optuna.Trial, space: Space) -> None:
    for name, (kind, values) in space.items():
        if kind == "choice":
            trial.suggest_categorical(name, values)
        else:
            low, high = values
            trial.suggest_float(name, low, high, log=True)


def _identity(
    name: str,
    split: Split,
    settings: dict[str, Any],
    numbers: list[int],
    candidates: list[dict[str, Any]] | None,
) -> str:
    """Name a search by all that decides its outcome, but for the number of trials."""
    asked = json.dumps([name, settings, numbers, candidates], sort_keys=True)
    digest = hashlib.sha256(asked.encode())
    code = source_hash(__file__, also=[MODELS[name].module], leave_out=["models/registry.py"])
    digest.update(code.encode())
    digest.update(split.digest().encode())
    return digest.hexdigest()


def _study(journal: Path, identity: str, trials: int, at_once: int) -> optuna.Study:
    """Open a journal with only finished trials of this very search in it."""
    finished = []
    if journal.exists():
        try:
            finished = optuna.load_study(study_name=identity, storage=_storage(journal)).get_trials(
                states=FINISHED
            )
            logger.info("%s: %d finished trials of an earlier run go on", journal, len(finished))
        except Exception as error:
            logger.info("%s: not of this search, started anew (%r)", journal, error)
    if len(finished) < trials:  # trials drawn together are run together
        finished = finished[: len(finished) - len(finished) % at_once]
    with whole_file(journal) as fresh:
        fresh.unlink()
        optuna.create_study(study_name=identity, storage=_storage(fresh)).add_trials(finished)
    return optuna.load_study(study_name=identity, storage=_storage(journal))


def _storage(journal: Path) -> JournalStorage:
    # one process writes a journal: a lock that is there was left by one that was killed
    Path(f"{journal}.lock").unlink(missing_ok=True)
    return JournalStorage(JournalFileBackend(str(journal)))


def _table(study: optuna.Study, trials: int) -> pd.DataFrame:
    """List the first trials: an earlier search may have been longer."""
    rows = [
        {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "loss": trial.value if trial.state == TrialState.COMPLETE else None,
            "epochs": trial.last_step,
            **trial.params,
        }
        for trial in study.get_trials(deepcopy=False, states=FINISHED)[:trials]
    ]
    return pd.DataFrame(rows)


def write_best(best: Mapping[str, Any], path: str | Path) -> None:
    """Write what :func:`tune` found: hyperparameters.json."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(best, indent=2) + "\n")


def read_best(path: str | Path) -> dict[str, Any]:
    """Read hyperparameters.json.

    Raises
    ------
    InputError
        If it is cut short or damaged.
    """
    try:
        best = json.loads(Path(path).read_text())
    except ValueError as error:
        raise damaged(path, f"this is not JSON ({error})") from None
    if not isinstance(best, dict) or not best:
        raise damaged(path, "it holds no hyperparameters")
    return best
