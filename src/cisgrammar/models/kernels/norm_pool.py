"""Batch normalisation and maximum pooling in one operator.

Both are done in one pass over what a convolution gave, and one pass back: convolutions run at the
speed of a processor or GPU, and everything else at that of its memory.
"""

from __future__ import annotations

import importlib.util

import numba
import numpy as np
import torch
from numba import types
from numba.extending import overload
from torch import Tensor
from torch.nn import functional as F

HAS_TRITON = importlib.util.find_spec("triton") is not None


def norm_pool(
    x: Tensor,
    gain: Tensor,
    offset: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    *,
    pool: int,
    training: bool,
    momentum: float,
    eps: float,
) -> Tensor:
    """Normalise each channel, then take the maximum of every ``pool`` positions.

    Parameters
    ----------
    x
        ``(batch, channels, length)``, float32 or bfloat16.
    gain, offset
        What normalised values are multiplied by, then what is added: ``(channels,)``.
    running_mean, running_var
        Averages over batches, ``(channels,)``; training writes to them.
    pool
        Positions in one. Pooling is "same": a window that is cut off at the ends takes the
        maximum of what there is.
    training
        Normalise by the batch's own mean and variance, else by the running ones.
    momentum
        Weight of a batch in the running averages.
    eps
        Added to the variance.

    Returns
    -------
    ``(batch, channels, ceil(length / pool))``, as ``x`` in type.
    """
    fused = _is_fused(x)
    if training and x.dtype in _AS_NUMPY and (fused or not x.is_cuda):
        operator = _NormPoolOnGpu if fused else _NormPool
        z, mean, var = operator.apply(x, gain, offset, pool, eps)
        n = x.shape[0] * x.shape[2]
        update_running(running_mean, running_var, mean, var, n, momentum)
        return z
    x = F.batch_norm(x, running_mean, running_var, gain, offset, training, momentum, eps)
    left, right = same_padding(x.shape[2], pool)
    if right:
        x = F.pad(x, (left, right), value=-torch.inf)
    return F.max_pool1d(x, pool) if pool > 1 else x


def _is_fused(x: Tensor) -> bool:
    return x.is_cuda and HAS_TRITON


@torch.no_grad()
def update_running(
    running_mean: Tensor, running_var: Tensor, mean: Tensor, var: Tensor, n: int, momentum: float
) -> None:
    """Move running averages, in place, to the moments of ``n`` values, as torch does.

    ``var`` is the biased variance; what is kept is the unbiased one.
    """
    running_mean.lerp_(mean, momentum)
    running_var.lerp_(var * (n / max(n - 1, 1)), momentum)


def same_padding(length: int, pool: int) -> tuple[int, int]:
    """Count the positions that windows of ``pool`` reach beyond either end.

    Examples
    --------
    >>> same_padding(1344, 3), same_padding(7, 2), same_padding(10, 4)
    ((0, 0), (0, 1), (1, 1))
    """
    lacking = -length % pool
    return lacking // 2, lacking - lacking // 2


_AS_NUMPY = {torch.float32: torch.float32, torch.bfloat16: torch.uint16}


def _numpy(x: Tensor) -> np.ndarray:
    """View a tensor's memory; NumPy knows no bfloat16, so those are their 16 bits."""
    return x.contiguous().view(_AS_NUMPY[x.dtype]).numpy()


class _NormPool(torch.autograd.Function):
    """Training on a CPU. Only ``x`` and the place of each maximum are kept for the way back."""

    @staticmethod
    def forward(ctx, x, gain, offset, pool, eps):
        batch, channels, length = x.shape
        left, _ = same_padding(length, pool)
        pooled = torch.empty((batch, channels, -(-length // pool)), dtype=x.dtype)
        where = torch.empty(pooled.shape, dtype=torch.uint8)
        sums = torch.empty((channels, 2), dtype=torch.float64)
        sign = torch.where(gain.detach() < 0, -1.0, 1.0)  # a negative gain turns the order around
        _pool(_numpy(x), sign.numpy(), pool, left, _numpy(pooled), where.numpy(), sums.numpy())
        mean, square = (sums / (batch * length)).unbind(1)
        var = (square - mean.square()).clamp(min=0)
        inverse = (var + eps).rsqrt()
        scale = (gain.detach().double() * inverse).float()
        shift = (offset.detach().double() - mean * scale).float()
        ctx.save_for_backward(x, where, mean.float(), inverse.float(), scale)
        ctx.pool = pool
        ctx.mark_non_differentiable(mean, var)
        z = torch.addcmul(shift[:, None], pooled, scale[:, None]).to(x.dtype)
        return z, mean.float(), var.float()

    @staticmethod
    def backward(ctx, grad, *_):
        x, where, mean, inverse, scale = ctx.saved_tensors
        left, _ = same_padding(x.shape[2], ctx.pool)
        out = torch.empty(x.shape, dtype=x.dtype)
        sums = torch.empty((x.shape[1], 2), dtype=torch.float32)
        per_channel = torch.stack([mean, inverse, scale], dim=1).numpy()
        _unpool(
            _numpy(grad), _numpy(x), where.numpy(), per_channel, ctx.pool, left,
            out.view(_AS_NUMPY[x.dtype]).numpy(), sums.numpy(),
        )  # fmt: skip
        return out, sums[:, 1], sums[:, 0], None, None


class _NormPoolOnGpu(torch.autograd.Function):
    """Training on CUDA, where what is one base's lies together: nothing is turned around."""

    @staticmethod
    def forward(ctx, x, gain, offset, pool, eps):
        from cisgrammar.models.kernels import norm_pool_triton

        ctx.places = pool, same_padding(x.shape[2], pool)[0]
        with torch.cuda.device_of(x):
            z, kept, mean, var = norm_pool_triton.forward(
                x.transpose(1, 2).contiguous(), gain.detach(), offset.detach(), *ctx.places, eps
            )
        ctx.save_for_backward(*kept)
        ctx.mark_non_differentiable(mean, var)
        return z.transpose(1, 2), mean, var

    @staticmethod
    def backward(ctx, grad, *_):
        from cisgrammar.models.kernels import norm_pool_triton

        with torch.cuda.device_of(grad):
            out, *of_line = norm_pool_triton.backward(
                grad.transpose(1, 2).contiguous(), *ctx.saved_tensors, *ctx.places
            )
        return out.transpose(1, 2), *of_line, None, None


def _load(_):  # for numba alone
    raise NotImplementedError


def _store(_value, _like):
    raise NotImplementedError


@overload(_load, inline="always")
def _load_typed(value):
    if isinstance(value, types.Float):
        return lambda value: value
    return lambda value: np.uint32(value << 16).view(np.float32)


@overload(_store, inline="always")
def _store_typed(value, like):
    if isinstance(like, types.Float):
        return lambda value, like: value

    def rounded(value, like):  # to the nearest, ties to even
        bits = np.float32(value).view(np.uint32)
        return np.uint16((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)

    return rounded


@numba.njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _pool(x, sign, pool, left, pooled, where, sums):
    """Take maxima and their places, and in the same pass sums of values and of squares."""
    batch, channels, length = x.shape
    n_out = pooled.shape[2]
    for c in numba.prange(channels):  # a channel is one thread's: sums do not depend on threads
        total, squares = 0.0, 0.0
        for b in range(batch):
            s, q = np.float32(0), np.float32(0)
            for i in range(length):
                value = _load(x[b, c, i])
                s += value
                q += value * value
            total += s
            squares += q
            for j in range(n_out):
                first = max(j * pool - left, 0)
                best = x[b, c, first]
                high = _load(best) * sign[c]
                place = first
                for i in range(first + 1, min((j + 1) * pool - left, length)):
                    value = _load(x[b, c, i]) * sign[c]
                    if value > high:
                        high, best, place = value, x[b, c, i], i
                pooled[b, c, j] = best
                where[b, c, j] = place - (j * pool - left)
        sums[c, 0], sums[c, 1] = total, squares


@numba.njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _unpool(grad, x, where, per_channel, pool, left, out, sums):
    """Lead gradients back through pooling and normalisation."""
    batch, channels, length = x.shape
    n_out = grad.shape[2]
    n = np.float32(batch * length)
    for c in numba.prange(channels):
        mean, inverse, scale = per_channel[c]
        total, weighted = 0.0, 0.0
        for b in range(batch):
            s, w = np.float32(0), np.float32(0)
            for j in range(n_out):
                g = _load(grad[b, c, j])
                s += g
                w += g * (_load(x[b, c, j * pool - left + where[b, c, j]]) - mean)
            total += s
            weighted += w * inverse
        sums[c, 0], sums[c, 1] = total, weighted
        slope = -scale * inverse * np.float32(weighted) / n
        constant = -scale * np.float32(total) / n - slope * mean
        for b in range(batch):
            for i in range(length):
                out[b, c, i] = _store(constant + slope * _load(x[b, c, i]), x[b, c, i])
            for j in range(n_out):
                i = j * pool - left + where[b, c, j]
                value = constant + slope * _load(x[b, c, i]) + scale * _load(grad[b, c, j])
                out[b, c, i] = _store(value, x[b, c, i])
