"""What each base contributes to a prediction: by substitution, by gradients, by DeepLIFT.

All three give, for each position, what each of the four bases would contribute there
(hypothetical contributions); :func:`cisgrammar.interpret.contributions.actual` reads off the base
that stands there. Outputs are a
weighted sum of a model's targets, so that one label, or the difference of two, is asked at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from cisgrammar.common.errors import InputError
from cisgrammar.data.split import Inputs
from cisgrammar.genome.sequence import N
from cisgrammar.genome.shuffling import shuffle_dinucleotides
from cisgrammar.interpret.mutagenesis import mutate
from cisgrammar.models.abilities import Inserts, ReadsBases, Substitutes
from cisgrammar.models.base import SequenceModel, members_of
from cisgrammar.models.contribution_rules import Gradients, Rescale
from cisgrammar.models.prediction import predict

METHODS = ("ism", "gradient", "deeplift")
REFERENCES = 20  # of each sequence
BASES_AT_ONCE = 2**15  # of the rows that are followed back together
SUBSTITUTED_AT_ONCE = 8  # sequences whose layers are kept
BRUTE_AT_ONCE = 2048  # changed sequences, where each is predicted by itself


def substitutions(
    model: SequenceModel,
    inputs: Inputs,
    weights: np.ndarray,
    first: int = 0,
    end: int | None = None,
) -> np.ndarray:
    """Change every base into each of the others, and predict.

    Parameters
    ----------
    model
        Any trained model. Where it can, only what a change reaches is computed again
        (``inserts``, ``substitutes``); else each changed sequence is predicted.
    inputs
        The sequences.
    weights
        Of each target in the output: float ``(targets,)``.
    first, end
        The positions that are changed, from ``first`` up to and without ``end``.

    Returns
    -------
    float32 ``(sequences, 4, positions)``, rows A, C, G, T: the output with a base minus the mean
    of the outputs with the four; 0 at an N.
    """
    end = inputs.codes.shape[1] if end is None else end
    each = [
        _effects(member, inputs, weights * share.cpu().numpy(), first, end)
        for member, share in members_of(model.eval())
    ]
    effects = np.sum(each, axis=0)
    return (effects - effects.mean(axis=1, keepdims=True)).astype(np.float32)


def _effects(
    model: SequenceModel, inputs: Inputs, weights: np.ndarray, first: int, end: int
) -> np.ndarray:
    """Give what substitutions change in the output: ``(sequences, 4, positions)``."""
    if isinstance(model, Inserts):
        of_cells = model.cell_weights()[0].detach().cpu().double().numpy()
        own = (weights @ of_cells)[None]  # (1, bottleneck)
        codes = inputs.codes.cpu().numpy()
        return np.stack([mutate(model, its, own, first, end)[0] for its in codes])
    if isinstance(model, Substitutes):
        share = torch.as_tensor(weights, dtype=torch.float32, device=inputs.device)
        each = [
            torch.einsum("ntbp,t->nbp", model.substitution_effects(batch, first, end), share)
            for batch in inputs.batches(SUBSTITUTED_AT_ONCE)
        ]
        return torch.cat(each).cpu().numpy()
    return np.stack([_brute(model, one, weights, first, end) for one in inputs.batches(1)])


def _brute(
    model: SequenceModel, inputs: Inputs, weights: np.ndarray, first: int, end: int
) -> np.ndarray:
    """Predict one sequence with each substitution: changes of the output, ``(4, positions)``."""
    own = inputs.codes[0]
    here = own[first:end].long().cpu()
    base, place = torch.nonzero((torch.arange(4)[:, None] != here) & (here != N), as_tuple=True)
    reference = float(predict(model, inputs)[0].cpu().double().numpy() @ weights)
    effects = np.zeros((4, end - first))
    for start in range(0, len(base), BRUTE_AT_ONCE):
        b, p = (each[start : start + BRUTE_AT_ONCE] for each in (base, place))
        rows = inputs.rows(torch.zeros(len(b), dtype=torch.int64, device=inputs.device))
        codes = rows.codes.clone()
        codes[torch.arange(len(b)), first + p] = b.to(codes)
        changed = predict(model, rows.replace(codes=codes)).cpu().double().numpy()
        effects[b, p] = changed @ weights - reference
    return effects


def gradients(model: SequenceModel, inputs: Inputs, weights: np.ndarray) -> np.ndarray:
    """Take the gradient by the bases, and subtract at each position its mean over the four.

    Parameters
    ----------
    model
        A trained model that ``reads_bases``.
    inputs, weights
        As in :func:`substitutions`.

    Returns
    -------
    float32 ``(sequences, 4, length)``, rows A, C, G, T; 0 at an N.

    Raises
    ------
    InputError
        If the model cannot be followed back.

    Notes
    -----
    Majdandzic et al. (2023), "Correcting gradient-based interpretations of deep neural networks
    for genomics": sequences lie on a simplex, and what a gradient says of directions that leave
    it is chance.
    """
    _require(model)
    share = torch.as_tensor(weights, dtype=torch.float32, device=inputs.device)
    each = []
    for batch in inputs.batches(_at_once(inputs, 1)):
        bases = one_hot(batch.codes)
        slope, _ = _slope(model, bases, batch, share, Gradients())
        slope = (slope - slope.mean(dim=2, keepdim=True)) * (batch.codes != N)[:, :, None]
        each.append(slope.transpose(1, 2).cpu())
    return torch.cat(each).numpy()


def deeplift(
    model: SequenceModel,
    inputs: Inputs,
    weights: np.ndarray,
    *,
    n_references: int = REFERENCES,
    seeds: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Explain the difference from shuffled sequences base by base, by DeepLIFT's rescale rule.

    Parameters
    ----------
    model, inputs, weights
        As in :func:`gradients`.
    n_references
        Shuffles of each sequence that keep its dinucleotides; contributions are averaged.
    seeds
        One for each sequence's shuffles, so that they are the same whatever is explained beside.

    Returns
    -------
    contributions
        float32 ``(sequences, 4, length)``, rows A, C, G, T; 0 at an N.
    baseline
        Mean output of each sequence's references, ``(sequences,)``. What the bases that stand
        there contribute sums to the sequence's output minus that.

    Raises
    ------
    InputError
        If the model cannot be followed back.

    Notes
    -----
    Shrikumar et al. (2017). With multipliers m and a reference r, a base contributes its
    multiplier minus the sum of m times r over the four.
    """
    _require(model)
    share = torch.as_tensor(weights, dtype=torch.float32, device=inputs.device)
    shuffles = references(inputs.codes, n_references, seeds)
    size, each, baselines = _at_once(inputs, 1 + n_references), [], []
    for start in range(0, len(inputs), size):
        of_batch = torch.arange(start, min(start + size, len(inputs)), device=inputs.device)
        batch = inputs.rows(of_batch.repeat_interleave(1 + n_references))
        codes = torch.cat([inputs.codes[of_batch, None], shuffles[of_batch]], dim=1)
        batch = batch.replace(codes=codes.flatten(0, 1))
        bases = one_hot(batch.codes)
        slope, output = _slope(model, bases, batch, share, Rescale(n_references))
        groups = (len(of_batch), 1 + n_references)
        slope, others = (x.unflatten(0, groups)[:, 1:] for x in (slope, bases))
        baselines.append(output.unflatten(0, groups)[:, 1:].mean(dim=1).cpu())
        given = (slope - (slope * others).sum(dim=3, keepdim=True)).mean(dim=1)
        known = (inputs.codes[of_batch] != N)[:, :, None]  # an N is one in the references too
        each.append((given * known).transpose(1, 2).cpu())
    return torch.cat(each).numpy(), torch.cat(baselines).double().numpy()


def references(codes: Tensor, n: int, seeds: Sequence[int]) -> Tensor:
    """Shuffle each sequence ``n`` times, keeping its dinucleotides: ``(sequences, n, length)``.

    N stays where it is.
    """
    repeated = codes.cpu().numpy()[:, None].repeat(n, axis=1)
    shuffled = [shuffle_dinucleotides(*each) for each in zip(repeated, seeds, strict=True)]
    return torch.from_numpy(np.stack(shuffled)).to(codes.device)


def one_hot(codes: Tensor) -> Tensor:
    """Write codes as numbers: ``(batch, length, 4)``, N 1/4 of each."""
    rows = torch.cat([torch.eye(4), torch.full((1, 4), 0.25)]).to(codes.device)
    return rows[codes.long()]


def _slope(
    model: SequenceModel,
    bases: Tensor,
    inputs: Inputs,
    share: Tensor,
    rules: Gradients | Rescale,
) -> tuple[Tensor, Tensor]:
    """Follow the weighted outputs back to the bases: slopes and outputs, of all members."""
    total, outputs = torch.zeros_like(bases), bases.new_zeros(len(bases))
    for member, weight in members_of(model.eval()):
        assert isinstance(member, ReadsBases)
        leaf = bases.clone().requires_grad_()
        output = member.predict_bases(leaf, inputs, rules) @ (share * weight.to(share))
        outputs += output.detach()
        if output.requires_grad:  # a network may read features alone
            (slope,) = torch.autograd.grad(output.sum(), leaf, allow_unused=True)
            total += 0 if slope is None else slope
    return total, outputs


def _at_once(inputs: Inputs, rows: int) -> int:
    return max(1, BASES_AT_ONCE // (rows * max(inputs.codes.shape[1], 1)))


def _require(model: SequenceModel) -> None:
    if not all(isinstance(member, ReadsBases) for member, _ in members_of(model)):
        raise InputError(
            f"{model.name} cannot be followed back from a prediction to bases, so that neither "
            "gradients nor DeepLIFT can be had. Ask by substitution: `--method ism`."
        )
