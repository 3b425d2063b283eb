"""Training of the cRE attention model: some genes and cells train, others say when it is best."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cisgrammar.common.errors import InputError
from cisgrammar.common.progress import progress
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import TRAIN, VALIDATION
from cisgrammar.data.gene_batches import GenePeaks
from cisgrammar.models.cre_attention import CreAttention, build_attention

BETAS, ADAM_EPS = (0.95, 0.9995), 1e-7  # as published
SIZES = ("heads", "head_size", "hidden", "joined", "wide", "norm", "distance")
DROPOUT = ("dropout", "wide_dropout")
logger = logging.getLogger(__name__)


def train_attention(
    data: GenePeaks,
    parts_of_genes: Sequence[str],
    parts_of_cells: Sequence[str],
    settings: Mapping[str, Any],
    *,
    seed: int,
    device: torch.device | str = "cpu",
) -> tuple[CreAttention, pd.DataFrame]:
    """Train a model on training genes in training cells.

    Parameters
    ----------
    data
        Genes, candidates, accessibility, expression.
    parts_of_genes, parts_of_cells
        ``train``, ``validation`` or ``test`` of each.
    settings
        The keys ``network`` and ``training`` of the section ``links``, in one, and ``target``.
    seed
        Of weights, order, cells of a step and dropout.
    device
        Where to train.

    Returns
    -------
    The model with the weights of its best epoch, and its history: epoch, train_loss,
    validation_loss.

    Raises
    ------
    InputError
        If a part is empty or no epoch had a finite validation loss.

    Notes
    -----
    Murakami et al. (2025) stop by the loss of test genes in test cells and keep the last weights.
    Here genes and cells of a validation part decide, and the best weights are kept.
    """
    genes, cells = _rows(parts_of_genes, parts_of_cells)
    outputs = 1 if settings["target"] == "own_gene" else data.expression.components.shape[1]
    sizes = {key: settings[key] for key in (*SIZES, *DROPOUT)}
    sizes |= {"described": data.embedding.shape[1], "outputs": outputs}
    model = build_attention(sizes, derive_seed(seed, "weights of links")).to(device)
    optimiser = torch.optim.AdamW(
        _groups(model, settings),
        betas=BETAS,
        eps=ADAM_EPS,
        weight_decay=settings["weight_decay"],
    )
    rng = np.random.default_rng(derive_seed(seed, "order of links"))
    dropout = torch.Generator().manual_seed(derive_seed(seed, "dropout of links"))
    best, best_loss, waited, history = None, math.inf, 0, []
    for epoch in progress(range(settings["epochs"]), "epochs"):
        total = 0.0
        order = rng.permutation(genes[TRAIN])
        for some in np.array_split(order, -(-len(order) // settings["batch_size"])):
            chosen = _draw_cells(cells[TRAIN], settings["cells_per_step"], rng)
            loss = _loss(model, data, some, chosen, settings["target"], device, dropout)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(some)
        validation = validation_loss(model, data, genes[VALIDATION], cells[VALIDATION], settings)
        history.append((epoch + 1, total / len(order), validation))
        waited += 1
        if validation < best_loss:
            best_loss, waited = validation, 0
            best = {key: value.clone() for key, value in model.state_dict().items()}
        if settings["patience"] is not None and waited >= settings["patience"]:
            break
    if best is None:
        raise InputError(
            "links: no epoch had a finite validation loss. The learning rates are probably too "
            "high: lower `links.training.attention_rate` and `links.training.network_rate`."
        )
    model.load_state_dict(best)
    table = pd.DataFrame(history, columns=["epoch", "train_loss", "validation_loss"])
    logger.info("best of %d epochs: %d, loss %.4g", len(table), table.validation_loss.argmin() + 1,
                best_loss)  # fmt: skip
    return model.eval(), table


@torch.no_grad()
def validation_loss(
    model: CreAttention,
    data: GenePeaks,
    genes: np.ndarray,
    cells: np.ndarray,
    settings: Mapping[str, Any],
) -> float:
    """Average the squared error over some genes and cells, without dropout."""
    device, total = next(model.parameters()).device, 0.0
    some_cells = torch.from_numpy(cells)
    for some in np.array_split(genes, -(-len(genes) // settings["batch_size"])):
        loss = _loss(model, data, some, some_cells, settings["target"], device, None)
        total += loss.item() * len(some)
    return total / len(genes)


def _loss(
    model: CreAttention,
    data: GenePeaks,
    genes: np.ndarray,
    cells: Tensor | None,
    target: str,
    device: torch.device | str,
    dropout: torch.Generator | None,
) -> Tensor:
    predicted = model(data.batch(genes, cells).to(device), dropout)
    return F.mse_loss(predicted, data.targets(genes, cells, target).to(device))


def _draw_cells(cells: np.ndarray, n: int | None, rng: np.random.Generator) -> Tensor:
    if n is None or n >= len(cells):
        return torch.from_numpy(cells)
    return torch.from_numpy(np.sort(rng.choice(cells, n, replace=False)))


def _groups(model: CreAttention, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the last two layers a learning rate of their own, as published."""
    last = [p for layer in (model.wide, model.output) for p in nn.Module.parameters(layer)]
    others = [p for p in model.parameters() if not any(p is q for q in last)]
    return [
        {"params": others, "lr": settings["attention_rate"]},
        {"params": last, "lr": settings["network_rate"]},
    ]


def _rows(
    genes: Sequence[str], cells: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    found = []
    for what, parts in (("genes", np.asarray(genes)), ("cells", np.asarray(cells))):
        rows = {part: np.flatnonzero(parts == part) for part in (TRAIN, VALIDATION)}
        for part, its in rows.items():
            if not len(its):
                raise InputError(
                    f"links: no {what} are in the {part} part: there are {len(parts):,} {what} in "
                    "all. Lower `links.folds.n_folds`, or change `links.cells` and "
                    "`links.folds.validation`."
                )
        found.append(rows)
    return found[0], found[1]
