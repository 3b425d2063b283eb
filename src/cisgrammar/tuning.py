"""Search a fold's hyperparameters; what is done is kept in a journal and never done again."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from tqdm import tqdm

from cisgrammar import models
from cisgrammar.errors import InputError
from cisgrammar.files import alone_with, whole_file
from cisgrammar.provenance import source_hash
from cisgrammar.seeds import derive_seed
from cisgrammar.training import Diverged, Split, train

logger = logging.getLogger(__name__)

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def tune(
    family: str,
    split: Split,
    settings: dict[str, Any],
    *,
    trials: int,
    epochs: int,
    grace: int,
    reduction: int,
    seed: int,
    journal: str | Path,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Search the hyperparameters with the lowest validation loss.

    Parameters
    ----------
    family
        Name in the registry.
    split
        One fold's data.
    settings
        The family's section of the config, with its ``search`` space.
    trials, epochs
        Models to try, and passes over the training part for each.
    grace, reduction
        ASHA's: epochs before a trial may be stopped, and the share that goes on (1/reduction).
    seed
        Seed of this fold's search.
    journal
        File in which trials are kept. Unfinished trials of a killed run are done again, the
        finished ones are not. A journal of another search (other data, settings or code) is
        replaced.

    Returns
    -------
    best : dict
        Hyperparameters of the best trial, its ``trial`` number, ``seed`` and ``loss``.
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
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with alone_with(journal):
        study = _study(
            Path(journal), _identity(family, split, settings, epochs, grace, reduction, seed)
        )
        study.pruner = SuccessiveHalvingPruner(min_resource=grace, reduction_factor=reduction)
        done = len(study.get_trials(deepcopy=False, states=FINISHED))
        bar = tqdm(total=trials, initial=done, desc="trials", mininterval=1)
        for number in range(done, trials):
            # one sampler per trial: a search that was killed goes on as if it had not been
            study.sampler = TPESampler(seed=derive_seed(seed, "sampler", number))
            trial = study.ask()
            values = _suggest(trial, models.FAMILIES[family].search, settings["search"])
            state, loss = _run(
                trial, family, split, settings, values, epochs, trial_seed(seed, number)
            )
            study.tell(trial, loss, state=state)
            bar.update()
            finished = study.get_trials(deepcopy=False, states=FINISHED[:1])
            if losses := [t.value for t in finished if t.value is not None]:
                bar.set_postfix(best_loss=f"{min(losses):.5g}")
        bar.close()
        table = _table(study, trials)
    complete = table[table["state"] == "complete"]
    if complete.empty:
        raise InputError(
            f"tuning: none of {trials} trials ended with a finite loss. The learning rates in "
            f"`{family}.search.learning_rate` are too high, or the targets hold extreme values."
        )
    best = complete.loc[complete["loss"].idxmin()]
    number = int(best["trial"])
    found = {name: study.trials[number].params[name] for name in models.FAMILIES[family].search}
    return {**found, "trial": number, "seed": trial_seed(seed, number), "loss": best["loss"]}, table


def trial_seed(seed: int, number: int) -> int:
    """Seed of one trial's initial weights and order of sequences."""
    return derive_seed(seed, "trial", number)


def _run(
    trial: optuna.Trial,
    family: str,
    split: Split,
    settings: dict[str, Any],
    values: dict[str, Any],
    epochs: int,
    seed: int,
) -> tuple[TrialState, float | None]:
    def on_epoch(epoch: int, loss: float) -> None:
        trial.report(loss, epoch)
        if epoch < epochs and trial.should_prune():
            raise optuna.TrialPruned

    model = models.build(family, split.targets.shape[1], settings, values, seed)
    model.to(split.codes.device)
    try:
        history = train(
            model,
            split,
            learning_rate=values["learning_rate"],
            batch_size=values["batch_size"],
            epochs=epochs,
            patience=None,
            seed=seed,
            on_epoch=on_epoch,
        )
    except (optuna.TrialPruned, Diverged):
        return TrialState.PRUNED, None
    return TrialState.COMPLETE, float(history["validation_loss"].min())


def _suggest(trial: optuna.Trial, kinds: dict[str, str], space: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, kind in kinds.items():
        if kind == "choice":
            values[name] = trial.suggest_categorical(name, space[name])
        else:
            low, high = space[name]
            values[name] = trial.suggest_float(name, low, high, log=True)
    return values


def _identity(family: str, split: Split, settings: dict[str, Any], *numbers: int) -> str:
    """Name a search by all that decides its outcome, but for the number of trials."""
    digest = hashlib.sha256(json.dumps([family, settings, numbers], sort_keys=True).encode())
    digest.update(source_hash(__file__).encode())
    for tensor in (split.codes, split.targets, split.train, split.validation):
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def _study(journal: Path, identity: str) -> optuna.Study:
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
