"""Everything that is to be known of a GPU, in one call of at most 8 minutes.

    python benchmarks/on_gpu.py --out results_of_card

Parts run one after the other, the most important first, each in a process of its own: one that
fails or takes too long is told of, and the next begins. Each tries tiny sizes before its own. Rows
are printed and kept as soon as they are there, and after each part written to `on_gpu.json` and
`on_gpu.md`. torch and Triton, and the library's own dependencies, are all that is needed;
scvi-tools is measured where it is installed.

`--small` stops after the tiny sizes. With TRITON_INTERPRET=1 it runs without a GPU, the kernels
through Triton's interpreter, to try the script itself.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import measure
import torch
from networks import DEVICE, TARGETS
from scipy import sparse
from torch import Tensor

Rows = list[dict[str, object]]
INTERPRETED = DEVICE == "cpu" and os.environ.get("TRITON_INTERPRET") == "1"
TRAINED_SHARE = 0.9  # of peaks; the rest validate
PUBLISHED_PEAKS = (20_000, 118_000)  # for 100,000 and 1.1 million cells


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    small: bool
    batches: tuple[int, ...]
    lengths: tuple[int, ...]
    runs: int
    trials: tuple[int, ...]
    epochs: int
    sequences: int
    cells: tuple[int, int]
    epoch_peaks: int


SMALL = Sizes(True, (4,), (30,), 1, (2,), 1, 40, (60, 70), 0)
FULL = Sizes(
    False, (64, 128, 256, 512), (240, 1000), 20, (16, 100), 40, 18_150, (100_000, 1_100_000), 1280
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=8, help="after so many nothing runs on")
    parser.add_argument("--out", type=Path, default=Path("on_gpu"), help="folder of the tables")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--commit", help="where the checkout has no git folder to tell it")
    parser.add_argument("--small", action="store_true", help="tiny sizes only")
    parser.add_argument("--part", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if DEVICE == "cpu" and not (arguments.small and INTERPRETED):
        sys.exit(
            "There is no GPU that torch can use, so nothing was measured (--small with "
            "TRITON_INTERPRET=1 tries the script without one)."
        )
    if arguments.part:
        run_part(arguments.part[0], Path(arguments.part[1]), arguments.small)
        return 0
    return run_all(arguments)


def run_all(arguments: argparse.Namespace) -> int:
    """Run parts one after the other; 1 if any failed."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    about = measure.machine() | {"driver": driver()}
    about["commit"] = arguments.commit or about["commit"]
    print(json.dumps(about, indent=1), flush=True)
    ends = time.monotonic() + 60 * arguments.minutes
    found: dict[str, Rows] = {}
    failed: dict[str, str] = {}
    for name in arguments.only:
        rows = arguments.out / f"{name}.jsonl"
        rows.unlink(missing_ok=True)
        command = [sys.executable, __file__, "--part", name, str(rows)]
        command += ["--small"] if arguments.small else []
        seconds = min(ends - time.monotonic(), 60 * arguments.minutes * PARTS[name].share)
        if problem := in_time(command, seconds):
            failed[name] = problem
            print(f"{name}: {problem}", flush=True)
        lines = rows.read_text().splitlines() if rows.exists() else []
        found[name] = [json.loads(line) for line in lines]
        write(arguments.out, about, found, failed)
    return 1 if failed else 0


def in_time(command: list[str], seconds: float) -> str | None:
    """Run a command; gives what went wrong, if anything did."""
    if seconds <= 0:
        return "not begun, for the time was over"
    try:
        status = subprocess.run(command, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return f"stopped after {seconds:.0f} s"
    return f"failed (status {status}); its traceback is above" if status else None


def write(out: Path, about: dict, found: dict[str, Rows], failed: dict[str, str]) -> None:
    """Write what there is so far."""
    figures = {"machine": about, "parts": found, "failed": failed}
    (out / "on_gpu.json").write_text(json.dumps(figures, indent=1) + "\n")
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    card = about["gpu"] or "No GPU"
    where = f"commit {about['commit']}, {about['date']}"
    lines = [f"{card}, driver {about['driver']}; {versions}; {where}."]
    for name, rows in found.items():
        lines += ["", f"## {name}", "", PARTS[name].about, ""]
        lines += [measure.layout(rows)] if rows else []
        lines += ["", failed[name]] if name in failed else []
    (out / "on_gpu.md").write_text("\n".join(lines) + "\n")


def driver() -> str | None:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def run_part(name: str, file: Path, small: bool) -> None:
    """Try tiny sizes, then measure; a row is printed and kept as soon as it is there."""
    with as_on_gpu():
        for sizes in [SMALL] if small else [SMALL, FULL]:
            for rows in PARTS[name].run(sizes):
                if sizes.small != small:
                    continue
                print(f"{name}:\n{measure.layout(rows)}", flush=True)
                with file.open("a") as handle:
                    handle.writelines(json.dumps(row) + "\n" for row in rows)


@contextlib.contextmanager
def as_on_gpu() -> Iterator[None]:
    """Have tensors on a CPU take the way of those on a GPU, where that is asked for."""
    from cisgrammar.models.kernels import (
        conv_maxpool,
        conv_maxpool_gpu,
        norm_pool,
        open_cross_entropy,
    )

    with contextlib.ExitStack() as stack:
        if INTERPRETED:
            stack.enter_context(
                mock.patch.object(conv_maxpool, "conv_maxpool_cpu", conv_maxpool_gpu)
            )
            there = mock.Mock(return_value=conv_maxpool_gpu.HAS_TRITON)
            for module in (conv_maxpool_gpu, norm_pool):
                stack.enter_context(mock.patch.object(module, "_is_fused", there))
            stack.enter_context(mock.patch.object(open_cross_entropy, "is_fused", there))
        yield


@contextlib.contextmanager
def as_on_cpu() -> Iterator[None]:
    """Undo :func:`as_on_gpu` for what tensors on a CPU are to be compared with."""
    from cisgrammar.models.kernels import conv_maxpool, conv_maxpool_cpu

    with mock.patch.object(conv_maxpool, "conv_maxpool_cpu", conv_maxpool_cpu):
        yield


def same_results(sizes: Sizes) -> Iterator[Rows]:
    """Compare outputs, gradients and influence with the CPU's; fails where a bound is passed."""
    from cisgrammar.common.devices import resolve_device

    if DEVICE == "cuda":
        resolve_device("cuda")  # only algorithms that give the same bytes in every run, as rules do
    passed = []
    for what, (bound, compare) in comparisons(sizes).items():
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = "TF32" in what
        for part, share in compare().items():
            values = {f"{what}: {part}, at most {bound:g}": [share]}
            yield measure.rows("difference from the CPU", "", "", values, unit="of largest")
            if not share <= bound:
                passed.append(f"{what}, {part}: {share:.3g} > {bound:g}")
    if passed:
        raise AssertionError("differs from the CPU by more than stated: " + "; ".join(passed))


def comparisons(sizes: Sizes) -> dict[str, tuple[float, Callable[[], dict[str, float]]]]:
    """Give, by name, the largest difference that is right and what measures it."""
    found: dict[str, tuple[float, Callable[[], dict[str, float]]]] = {
        f"scover, strands {strands}, bins {bins}": (1e-5, partial(scover, sizes, strands, bins))
        for strands in ("forward", "both")
        for bins in (1, 4)
    }
    found["operator in fp16"] = (2e-3, partial(half_precision, sizes))
    found["scBasset"] = (1e-4, partial(scbasset, sizes, "outputs"))
    found["scBasset with TF32, PyTorch's default"] = (0.05, partial(scbasset, sizes, "outputs"))
    # gradients jump where two places of a pool nearly tie, and rounding decides: hence norms
    found["norm, scBasset"] = (5e-3, partial(scbasset, sizes, "gradients"))
    found["norm, scBasset with TF32"] = (0.1, partial(scbasset, sizes, "gradients"))
    found["scXpresso"] = (1e-4, partial(scxpresso, sizes))
    for name in ("scover", "scbasset"):
        found[f"{name}, recorded steps beside single kernels"] = (
            0.0,
            partial(recorded, sizes, name),
        )
    return found


def scover(sizes: Sizes, strands: str, bins: int) -> dict[str, float]:
    from cisgrammar.models.scover import Scover

    torch.manual_seed(0)
    model = Scover(TARGETS, 70 if sizes.small else 600, 12, strands, bins)
    torch.nn.init.normal_(model.motifs.weight)
    codes, targets = some_codes(sizes), torch.randn(sizes.batches[-1], TARGETS)
    found = against_cpu(model, codes, lambda y: (y - targets.to(y.device)).square().mean())
    there, here = (each.influence_and_effect for each in both(model))
    with as_on_cpu():
        expected = here(codes)
    pairs = zip(("influence", "effect"), there(codes.to(DEVICE)), expected, strict=True)
    return found | {name: difference(one, other) for name, one, other in pairs}


def half_precision(sizes: Sizes) -> dict[str, float]:
    from cisgrammar.models.kernels.conv_maxpool import conv_maxpool

    torch.manual_seed(0)
    codes, weight = some_codes(sizes), torch.randn(70, 4, 12)
    with as_on_cpu():
        expected = conv_maxpool(codes, weight).maxima
    found = conv_maxpool(codes.to(DEVICE), weight.to(DEVICE), precision="fp16").maxima
    return {"maxima": difference(found, expected)}


def scbasset(sizes: Sizes, part: str) -> dict[str, float]:
    from defaults import settings_of

    from cisgrammar.models.checkpoints import build_model

    changes = TINY_SCBASSET if sizes.small else {}
    length = 100 if sizes.small else 1344
    settings = settings_of("scbasset") | {"length": length} | changes
    model = build_model("scbasset", 500, settings, {}, 1)
    codes = torch.randint(5, (32, length), dtype=torch.uint8)
    model.train()
    return {part: against_cpu(model, codes, lambda y: y.sigmoid().mean(), norm_of_difference)[part]}


def scxpresso(sizes: Sizes) -> dict[str, float]:
    from defaults import settings_of

    from cisgrammar.models.checkpoints import build_model

    length = 1000 if sizes.small else 10_500
    given = {
        "length": length,
        "n_features": 0,
        "flagged": [],
        "groups": {"all": range(20)},
        "inputs": "sequence",
    }
    model = build_model("scxpresso", 20, settings_of("scxpresso") | given, {}, 1)
    codes = torch.randint(5, (32, length), dtype=torch.uint8)
    return against_cpu(model, codes, lambda y: y.square().mean())


TINY_SCBASSET = {"stem_filters": 8, "tower_filters": [8, 9], "last_filters": 8, "bottleneck": 8}


def some_codes(sizes: Sizes) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (sizes.batches[-1], sizes.lengths[-1])
    return torch.randint(5, shape, dtype=torch.uint8, generator=generator)


def both(model: torch.nn.Module) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Copy a model to the GPU, and beside it for the CPU."""
    return copy.deepcopy(model).to(DEVICE), copy.deepcopy(model)


def recorded(sizes: Sizes, name: str) -> dict[str, float]:
    """Train both ways from the same weights, and compare what the weights become."""
    from defaults import settings_of

    from cisgrammar.data.open_entries import OpenEntries
    from cisgrammar.data.split import Inputs, Split
    from cisgrammar.models.checkpoints import build_model
    from cisgrammar.training.steps import Steps

    rng, length = torch.Generator().manual_seed(0), 100 if sizes.small else 1344
    codes = torch.randint(4, (64, length), dtype=torch.uint8, generator=rng).to(DEVICE)
    opened = (torch.rand(64, 50, generator=rng) < 0.1).numpy()
    targets, changes = torch.rand(64, 50, generator=rng).to(DEVICE), {"filters": 20, "width": 12}
    if name == "scbasset":
        targets = OpenEntries.of_matrix(sparse.csr_matrix(opened.T), DEVICE)
        changes = {"length": length} | (TINY_SCBASSET if sizes.small else {})
    settings = settings_of(name) | changes
    values = {"sigma_motifs": 0.3, "sigma_net": 0.3}
    rows = torch.arange(64, device=DEVICE)
    weights = []
    for recordable in (True, False):
        model = build_model(name, 50, settings, values, 1).to(DEVICE).train()
        split = Split(Inputs(codes), targets, rows, rows)
        objective = model.objective(split)
        objective.recordable = objective.recordable and recordable
        optimizer = objective.optimizer(model, 0.01)
        steps = Steps(objective, split, [model], [optimizer], torch.Generator().manual_seed(1))
        for _ in range(2 if sizes.small else 6):
            for part in rows.split(30):
                steps(part)
        weights.append(torch.cat([each.detach().flatten() for each in model.parameters()]))
    return {"weights": difference(*weights)}


def difference(found: Tensor, expected: Tensor) -> float:
    """Of the largest, as a share of the largest expected value."""
    error = (found.detach().cpu().double() - expected.detach().cpu().double()).abs().max()
    return (error / expected.detach().abs().max().cpu()).item()


def norm_of_difference(found: Tensor, expected: Tensor) -> float:
    """As a share of the norm of what is expected."""
    expected = expected.detach().cpu().double()
    return ((found.detach().cpu().double() - expected).norm() / expected.norm()).item()


def against_cpu(
    model: torch.nn.Module,
    codes: Tensor,
    loss: Callable[[Tensor], Tensor],
    of_gradients: Callable[[Tensor, Tensor], float] = difference,
) -> dict[str, float]:
    """Differences of outputs, largest as a share of the largest, and of gradients."""
    from cisgrammar.data.split import Inputs

    there, here = both(model)
    with as_on_cpu():
        expected = here(Inputs(codes))
        loss(expected).backward()
    found = there(Inputs(codes.to(DEVICE)))
    loss(found).backward()
    pairs = zip(there.parameters(), here.parameters(), strict=True)
    gradients = [(p.grad, q.grad) for p, q in pairs if q.grad is not None]
    largest = max(of_gradients(one, other) for one, other in gradients)
    return {"outputs": difference(found, expected), "gradients": largest}


def operator(sizes: Sizes) -> Iterator[Rows]:
    """Time a training step."""
    import training_step

    for length in reversed(sizes.lengths):
        for batch in sizes.batches:
            yield training_step.side_by_side(batch, length, 1, sizes.runs, budget=5)


def search(sizes: Sizes) -> Iterator[Rows]:
    """Search a fold: first some trials, should all of them take too long."""
    import search as whole

    settings, length = whole.SETTINGS, whole.LENGTH
    if sizes.small:
        ranges = whole.SETTINGS["search"] | {"batch_size": [8, 16]}
        settings, length = whole.SETTINGS | {"filters": 3, "search": ranges}, 30
    for trials in sizes.trials:
        table = whole.run(
            1, trials, sizes.epochs, sizes.sequences, settings=settings, length=length
        )
        yield table
        folds = {"ten folds, multiplied": [10 * float(table[0]["median"])]}
        yield measure.rows("search", str(table[0]["size"]), 1, folds)


def scbasset_epoch(sizes: Sizes) -> Iterator[Rows]:
    """Time steps, multiplied to an epoch; whole epochs beside scvi-tools where that is there."""
    import scbasset_step

    changes = TINY_SCBASSET if sizes.small else {}
    length = 100 if sizes.small else scbasset_step.LENGTH
    for n_cells, n_peaks in zip(sizes.cells, PUBLISHED_PEAKS, strict=True):
        steps = scbasset_step.steps(n_cells, length, **changes)
        taken = measure.alternate(steps, sizes.runs, budget=15)
        n_steps = TRAINED_SHARE * n_peaks / scbasset_step.BATCH
        seconds = {name: [n_steps * each for each in times] for name, times in taken.items()}
        size = f"{n_cells} cells x {n_peaks} peaks, {n_steps:.0f} steps, multiplied"
        yield measure.rows("scBasset epoch", size, 1, seconds, reference=scbasset_step.PLAIN)
        del steps
    if sizes.epoch_peaks and importlib.util.find_spec("scvi"):
        import scbasset_epoch as epochs

        epochs.SCVI_PYTHON = Path(sys.executable)
        yield epochs.side_by_side(sizes.cells[0], sizes.epoch_peaks, threads=2)


def losses(sizes: Sizes) -> Iterator[Rows]:
    """Hold the fused loss against float64; time it beside PyTorch's operations."""
    from cisgrammar.data.open_entries import OpenEntries
    from cisgrammar.models.kernels import open_cross_entropy as fused

    generator = torch.Generator().manual_seed(0)
    n_peaks, n_cells, width = 128, sizes.cells[0], 32
    shapes = ((n_peaks, width), (n_cells, width), (n_cells,))
    leaves = [torch.randn(shape, generator=generator).to(DEVICE) for shape in shapes]
    size = f"{n_peaks} peaks x {n_cells} cells"
    opened = torch.rand(n_peaks, n_cells, generator=generator) < 0.03
    offsets = torch.nn.functional.pad(opened.sum(dim=1).cumsum(0), (1, 0))
    entries = OpenEntries(offsets.to(DEVICE), opened.nonzero()[:, 1].int().to(DEVICE), n_cells)
    peaks = torch.arange(n_peaks, device=DEVICE)

    def summed(tensors: list[Tensor]) -> list[Tensor]:
        total = fused.cross_entropy_sum(*tensors, entries, peaks)
        return [total, *torch.autograd.grad(total, tensors)]

    def exactly() -> list[Tensor]:
        wide = [leaf.double().requires_grad_() for leaf in leaves]
        logits = torch.addmm(wide[2], wide[0], wide[1].T)
        total = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, opened.to(DEVICE).double(), reduction="sum"
        )
        return [total, *torch.autograd.grad(total, wide)]

    own = [leaf.requires_grad_() for leaf in leaves]
    names = ("sum", "of embedding", "of weights", "of intercepts")
    errors = [difference(*pair) for pair in zip(summed(own), exactly(), strict=True)]
    for name, error in zip(names, errors, strict=True):
        yield measure.rows(
            "fused loss against float64", size, 1, {name: [error]}, unit="of largest"
        )

    def by_operations() -> list[Tensor]:
        with mock.patch.object(fused, "is_fused", lambda _: False):
            return summed(own)

    tasks = {"PyTorch's operations": by_operations, "fused": lambda: summed(own)}
    seconds = measure.alternate(tasks, sizes.runs, budget=10)
    yield measure.rows("fused loss", size, 1, seconds, reference="PyTorch's operations")
    if max(errors) > 1e-5:
        raise AssertionError(f"the fused loss is off by {max(errors):.3g} of the largest value")


@dataclass(frozen=True)
class Part:
    """What is measured, what of the time it may take at most, and what to hold it against."""

    run: Callable[[Sizes], Iterator[Rows]]
    share: float
    about: str


PARTS = {  # the most important first
    "results": Part(same_results, 0.35, "Largest differences from the CPU's results."),
    "operator": Part(operator, 0.25, "A training step; the goal is a ratio of 5."),
    "search": Part(
        search, 0.35, "100 trials of a fold; the goal is 60 s, and 600 s for ten folds."
    ),
    "scbasset": Part(scbasset_epoch, 0.3, "Goals: a ratio of 3; 15 s at 1.1 million cells."),
    "losses": Part(losses, 0.1, "Largest error of the fused loss against float64, and its time."),
}


if __name__ == "__main__":
    sys.exit(main())
