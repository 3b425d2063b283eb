"""Steps that a GPU plays from a recording; its part is taken by a stand-in, for none is here."""

import contextlib
import copy

import pytest
import torch
from made_accessibility import build, motif_split

from cisgrammar.common.threads import set_threads
from cisgrammar.training.steps import BEFORE, Steps


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


class Stream:
    def wait_stream(self, other):
        pass


class Gpu:
    """Capturing computes nothing, as on a GPU; playing takes the step again."""

    def __init__(self, monkeypatch, capture):
        self.steps, self.played, self.captured = None, 0, 0
        monkeypatch.setattr(torch.cuda, "Stream", lambda device=None: Stream())
        monkeypatch.setattr(torch.cuda, "current_stream", Stream)
        monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
        monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: Graph(self))
        monkeypatch.setattr(torch.cuda, "graph", getattr(self, capture))

    @contextlib.contextmanager
    def capturing(self, graph, **_):
        self.captured += 1
        steps = self.steps
        parts = steps.models[0], steps.optimizers[0]
        before = [copy.deepcopy(part.state_dict()) for part in parts]
        total = steps.total.clone()
        yield
        for part, state in zip(parts, before, strict=True):
            part.load_state_dict(state)
        steps.total.copy_(total)

    @contextlib.contextmanager
    def refusing(self, graph, **_):
        with self.capturing(graph):
            yield
        raise RuntimeError("operation not permitted when stream is capturing")


class Graph:
    def __init__(self, gpu):
        self.gpu = gpu

    def pool(self):
        return 1

    def replay(self):
        self.gpu.played += 1
        steps = self.gpu.steps
        (size,) = (its for its in steps._sizes.values() if its.graph is self)
        size.draws.again()
        steps._step(size.rows, size.draws)


def made_steps():
    split, model = motif_split(), build(dropout=0.3)
    objective = model.objective(split)
    generator = torch.Generator().manual_seed(1)
    optimizers = [objective.optimizer(model, 0.01)]
    return Steps(objective, split, [model.train()], optimizers, generator)


def taken(steps):
    """Take steps of two sizes in turn; give weights and loss."""
    for rows in torch.arange(48).split([10, 11, 10, 7, 10]):
        steps(rows)
        steps(rows.flip(0))
    weights = torch.cat([each.detach().flatten() for each in steps.models[0].parameters()])
    return weights, steps.total


def as_on_gpu(gpu):
    steps = made_steps()
    steps._recorded, steps._stream = True, Stream()
    gpu.steps = steps
    return steps


def test_recorded_steps_are_the_same_steps(monkeypatch):
    gpu = Gpu(monkeypatch, "capturing")
    found, expected = taken(as_on_gpu(gpu)), taken(made_steps())
    assert gpu.captured == 1 and gpu.played == 6 - BEFORE  # of 10 rows there were six
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


def test_where_recording_fails_training_goes_on(monkeypatch, caplog):
    gpu = Gpu(monkeypatch, "refusing")
    found, expected = taken(as_on_gpu(gpu)), taken(made_steps())
    assert gpu.captured == 1 and gpu.played == 0
    assert "steps cannot be recorded" in caplog.text
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


def test_on_a_cpu_nothing_is_recorded():
    steps = made_steps()
    taken(steps)
    assert not steps._recorded and not steps._sizes
