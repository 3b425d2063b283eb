"""A new model is one class, one entry in the registry and one schema: no rule is touched."""

import pandas as pd
import pytest
import yaml

CLASS = '''
"""A model for tests: it reads the sequence, and the shares of its bases as a second input."""

import torch
from torch import nn

from cisgrammar.data.split import Inputs, read_codes
from cisgrammar.models.base import SequenceModel


class Toy(SequenceModel):
    name = "toy"
    search = {"learning_rate": "log_uniform", "batch_size": "choice"}

    def __init__(self, n_targets, hidden):
        super().__init__()
        self.hidden = nn.Linear(5, hidden)
        self.head = nn.Linear(hidden, n_targets)

    @classmethod
    def build(cls, n_targets, settings, hyperparameters, generator):
        model = cls(n_targets, settings["hidden"])
        with torch.no_grad():
            for weight in model.parameters():
                weight.normal_(0, 0.1, generator=generator)
        return model

    @staticmethod
    def read_inputs(dataset):
        codes = read_codes(dataset).codes
        shares = torch.stack([(codes == base).float().mean(1) for base in range(4)], 1)
        return Inputs(codes, shares=shares)

    def sizes(self):
        return {"n_targets": self.head.out_features, "hidden": self.hidden.out_features}

    def forward(self, inputs):
        first = inputs.codes[:, :1].float()
        return self.head(torch.relu(self.hidden(torch.cat([inputs["shares"], first], 1))))
'''
ENTRY = """
MODELS["toy"] = ModelSpec(
    "toy", "Toy", "cisgrammar.models.toy:Toy", POOLS, frozenset({"dense_targets"})
)
"""
SECTION = {
    "type": "object",
    "additionalProperties": False,
    "default": {},
    "properties": {
        "network": {
            "type": "object",
            "default": {},
            "properties": {"hidden": {"type": "integer", "default": 4}},
        },
        "search": {
            "type": "object",
            "default": {},
            "properties": {
                "learning_rate": {"type": "array", "default": [0.001, 0.01]},
                "batch_size": {"type": "array", "default": [16, 32]},
            },
        },
    },
}


@pytest.fixture
def with_toy(finished_copy, sources_copy, run_class, tiny_config):
    """Give a finished run of scover whose sources and config have got another model."""
    library = sources_copy / "src/cisgrammar/models"
    (library / "toy.py").write_text(CLASS)
    with (library / "registry.py").open("a") as registry:
        registry.write(ENTRY)
    schema = sources_copy / "workflow/schemas/models/toy.yaml"
    schema.write_text(yaml.safe_dump(SECTION))
    run = run_class(finished_copy.folder, sources_copy)
    run.configure(tiny_config | {"models": ["scover", "toy"]})
    return run


def test_a_new_model_is_tuned_trained_evaluated_and_compared(with_toy):
    with_toy.snakemake("--cores", "2")
    assert {"tune_model", "train_model", "evaluate_model", "train_controls"} <= set(
        ran := with_toy.rules_run()
    )
    # nothing of scover is made again; filters, which the model has not, are asked for of none
    assert ran.count("train_model") == 2
    assert not {"extract_motifs", "score_influence", "compare_truth", "remove_filters"} & set(ran)
    folder = with_toy.results / "toy"
    compared = pd.read_csv(folder / "comparison.tsv", sep="\t")
    assert {"toy", "mean", "kmer_ridge", "shuffled_nucleotides"} <= set(compared["method"])
    assert (folder / "figures/method_comparison.svg").exists()
    assert with_toy.plan() == {}
