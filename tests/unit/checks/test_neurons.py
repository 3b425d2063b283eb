"""A network of the user's own is read before anything runs."""

import torch
from made_networks import detector

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.neurons import check_network
from cisgrammar.checks.settings import InputFiles, Settings

FILES = InputFiles("counts", "fasta", "work")


def findings(tmp_path, layers=None, description="layers: [{convolution: conv1}]\n"):
    weight = torch.from_numpy(detector("GATTACA").weight)
    torch.save({"conv1.weight": weight, "conv1.bias": torch.zeros(1)}, tmp_path / "own.pt")
    (tmp_path / "own.yaml").write_text(description)
    asked = {"weights": str(tmp_path / "own.pt"), "description": str(tmp_path / "own.yaml")}
    asked |= {"layers": layers, "longest_field": 112}
    found = Findings()
    check_network(FILES, Settings(neurons=asked), found)
    return found


def test_layers_are_told(tmp_path):
    found = findings(tmp_path)
    assert found.table()["found"].tolist() == [
        "1 convolutions; to be read: 1 (1 neurons of 7 bases)"
    ]
    assert not found.problems.messages


def test_what_does_not_fit_is_a_problem(tmp_path):
    (message,) = findings(tmp_path, layers=[2]).problems.messages
    assert "names 2, but the network has 1" in message
    (message,) = findings(tmp_path, description="layers: [{convolution: x}]\n").problems.messages
    assert "nothing called `x`" in message


def test_without_a_network_nothing_is_said(tmp_path):
    found = Findings()
    check_network(FILES, Settings(), found)
    assert found.table().empty and not found.problems.messages
