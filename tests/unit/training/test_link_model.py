import numpy as np
import pytest
import torch
from made_links import SETTINGS, made_gene_peaks, parts_of

from cisgrammar.common.errors import InputError
from cisgrammar.training.link_model import train_attention


def test_training_keeps_the_best_weights_and_is_the_same_again():
    data, _, _ = made_gene_peaks()
    genes, cells = parts_of(30), parts_of(90)
    model, history = train_attention(data, genes, cells, SETTINGS, seed=1)
    again, same = train_attention(data, genes, cells, SETTINGS, seed=1)
    assert history.equals(same)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    assert history["validation_loss"].min() < history["validation_loss"].iloc[0]


def test_only_training_genes_in_training_cells_teach():
    data, _, _ = made_gene_peaks()
    genes, cells = parts_of(30), parts_of(90)
    model, _ = train_attention(data, genes, cells, SETTINGS, seed=1)
    spoiled, _, _ = made_gene_peaks()
    test_cells = np.flatnonzero(cells == "test")
    test_genes = np.flatnonzero(genes == "test")
    spoiled.expression.components[test_cells] += 9
    spoiled.expression.loadings[:, test_genes] += 9
    other, _ = train_attention(spoiled, genes, cells, SETTINGS, seed=1)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, other.state_dict()[name])


@pytest.mark.parametrize("target, outputs", [("own_gene", 1), ("cell_components", 30)])
def test_a_target_decides_the_outputs(target, outputs):
    data, _, _ = made_gene_peaks()
    settings = SETTINGS | {"target": target, "epochs": 1}
    model, _ = train_attention(data, parts_of(30), parts_of(90), settings, seed=1)
    assert model.output.out_features == outputs


def test_a_part_without_genes_is_refused():
    data, _, _ = made_gene_peaks()
    with pytest.raises(InputError, match="no genes are in the validation part"):
        train_attention(data, np.full(30, "train"), parts_of(90), SETTINGS, seed=1)
