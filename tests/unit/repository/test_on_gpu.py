"""benchmarks/on_gpu.py at tiny sizes: with Triton through its interpreter, else by torch."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when Triton is imported
BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import on_gpu  # noqa: E402

from cisgrammar.models.kernels import conv_maxpool, conv_maxpool_gpu  # noqa: E402


@pytest.mark.parametrize("name", on_gpu.PARTS)
def test_each_part_runs(name, tmp_path):
    on_gpu.run_part(name, tmp_path / "rows", small=True)
    rows = [json.loads(line) for line in (tmp_path / "rows").read_text().splitlines()]
    assert rows
    assert all(math.isfinite(row["median"]) for row in rows)


def test_the_way_of_a_gpu_is_taken(monkeypatch):
    calls = []

    def watched(*arguments, forward=conv_maxpool_gpu.forward):
        calls.append(arguments)
        return forward(*arguments)

    monkeypatch.setattr(conv_maxpool_gpu, "forward", watched)
    codes = torch.zeros((2, 9), dtype=torch.uint8, device=on_gpu.DEVICE)
    weight = torch.ones(3, 4, 5, device=on_gpu.DEVICE)
    with on_gpu.as_on_gpu():
        conv_maxpool.conv_maxpool(codes, weight)
        assert len(calls) == 1
        with on_gpu.as_on_cpu():
            conv_maxpool.conv_maxpool(codes.cpu(), weight.cpu())
    assert len(calls) == 1


@pytest.mark.parametrize("share", [2e-5, math.nan])
def test_a_difference_beyond_its_bound_fails(monkeypatch, share):
    compared = {"x": (1e-5, lambda: {"outputs": share}), "y": (1e-5, lambda: {"outputs": 0.0})}
    monkeypatch.setattr(on_gpu, "comparisons", lambda _: compared)
    parts = on_gpu.same_results(on_gpu.SMALL)
    assert len([next(parts), next(parts)]) == 2
    with pytest.raises(AssertionError, match="x, outputs"):
        next(parts)


def test_a_part_that_fails_stops_nothing(monkeypatch, tmp_path):
    def run(command, seconds):
        name, rows = command[3:5]
        if name == "operator":
            return "failed"
        values = {name: [1.0]}
        lines = map(json.dumps, on_gpu.measure.rows("subject", "size", 1, values))
        Path(rows).write_text("".join(f"{line}\n" for line in lines))
        return None

    monkeypatch.setattr(on_gpu, "in_time", run)
    asked = SimpleNamespace(
        out=tmp_path / "out", commit="abc", minutes=1, only=["results", "operator", "losses"],
        small=True,
    )  # fmt: skip
    assert on_gpu.run_all(asked) == 1
    found = json.loads((tmp_path / "out/on_gpu.json").read_text())
    assert found["failed"] == {"operator": "failed"}
    assert [len(rows) for rows in found["parts"].values()] == [1, 0, 1]
    table = (tmp_path / "out/on_gpu.md").read_text()
    assert "commit abc" in table
    assert "| losses |" in table
    asked.only = ["losses"]
    assert on_gpu.run_all(asked) == 0


@pytest.mark.parametrize(
    "code, seconds, told",
    [
        ("pass", 60, None),
        ("raise SystemExit(3)", 60, "status 3"),
        ("import time; time.sleep(60)", 0.1, "stopped"),
        ("pass", 0, "not begun"),
    ],
)
def test_what_went_wrong_is_told(code, seconds, told):
    found = on_gpu.in_time([sys.executable, "-S", "-c", code], seconds)
    assert found is None if told is None else told in found


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "on_gpu.py"), "--out", str(tmp_path / "out")]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert found.returncode == 1
    assert found.stderr.startswith("There is no GPU")
    assert len(found.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
