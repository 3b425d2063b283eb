import numpy as np
import pandas as pd
import pytest
import torch
from made_accessibility import build, motif_split
from scipy import sparse

from cisgrammar.common.statistics import pearson
from cisgrammar.interpret.denoising import (
    choose_genes,
    denoise,
    gene_scores,
    named_rows,
    read_genes,
)


@pytest.fixture
def case():
    model = build(batch_of_target=[0, 1] * 15).eval()
    torch.nn.init.normal_(model.head.bias, generator=torch.Generator().manual_seed(1))
    return model, motif_split().inputs.codes


@torch.no_grad()
def expected(model, codes):
    return torch.sigmoid(model.embed(codes) @ model.head.weight.T).numpy()


@pytest.mark.parametrize("at_once", [7, 1000])
def test_depth_and_batch_are_left_out(case, at_once):
    model, codes = case
    blocks = list(denoise(model, codes, at_once=at_once))
    assert max(len(block) for block in blocks) == min(at_once, 200)
    np.testing.assert_allclose(np.concatenate(blocks), expected(model, codes), atol=1e-5)


def test_some_cells(case):
    model, codes = case
    (block,) = denoise(model, codes, torch.tensor([4, 2]))
    np.testing.assert_allclose(block, expected(model, codes)[:, [4, 2]], atol=1e-5)


GENES = pd.DataFrame(
    {"gene_name": ["A", "B", "C"], "n_peaks": [2, 1, 1]}, index=pd.Index(["g1", "g2", "g3"])
)


def shares_of(n_peaks):
    shares = np.zeros((3, n_peaks))
    shares[0, [3, 7]], shares[1, 5], shares[2, 9] = 0.5, 1, 1
    return sparse.csr_matrix(shares)


@pytest.mark.parametrize("at_once", [7, 1000])
def test_gene_scores_average_promoter_peaks(case, at_once):
    model, codes = case
    scores = list(gene_scores(model, codes, shares_of(200), at_once))
    assert max(len(block) for block in scores) == min(at_once, 30)
    everything = expected(model, codes)
    by_hand = np.stack([everything[[3, 7]].mean(axis=0), everything[5], everything[9]], axis=1)
    np.testing.assert_allclose(np.concatenate(scores), by_hand, atol=1e-5)


def read(case, expression=None, at_once=7):
    model, codes = case
    rng = np.random.default_rng(1)
    is_open = sparse.csr_matrix(rng.random((30, 200)) < 0.3).astype(np.uint8)
    types = ["x"] * 10 + ["y"] * 20
    shares = shares_of(200)
    return is_open, read_genes(model, codes, is_open, types, GENES, shares, expression)


def test_genes_in_one_pass_are_what_whole_tables_give(case, monkeypatch):
    monkeypatch.setattr("cisgrammar.interpret.denoising.gene_scores.__defaults__", (7,))
    expression = sparse.csr_matrix(np.random.default_rng(2).poisson(1.0, (30, 3)).astype(float))
    is_open, reading = read(case, expression)
    scores = np.concatenate(list(gene_scores(*case, shares_of(200))))
    raw = (is_open @ shares_of(200).T).toarray()
    table = reading.by_cell_type
    np.testing.assert_allclose(table["x"], scores[:10].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(table["y"], scores[10:].mean(axis=0), rtol=1e-6)
    for column, values in (("r_raw", raw), ("r_denoised", scores)):
        there = expression.toarray()
        np.testing.assert_allclose(reading.per_cell[column], pearson(values, there, axis=1))
        np.testing.assert_allclose(
            reading.per_gene[column], pearson(values, there, axis=0), rtol=1e-6
        )


def test_a_constant_gene_has_no_correlation(case):
    expression = np.ones((30, 3))
    expression[::2, 0] = 3
    reading = read(case, sparse.csr_matrix(expression))[1]
    assert reading.per_gene["r_denoised"].isna().tolist() == [False, True, True]


def test_without_expression_there_are_means_alone(case):
    reading = read(case)[1]
    assert reading.by_cell_type.shape == (3, 2) and len(reading.per_cell) == 30
    assert reading.per_cell.isna().all(axis=None) and reading.per_gene.isna().all(axis=None)


def test_genes_by_id_name_or_spread(case):
    rows, unknown = named_rows(["C", "g1", "no"], GENES)
    assert rows.tolist() == [0, 2] and unknown == ["no"]
    reading = read(case)[1]
    assert choose_genes(["B"], 1, GENES, reading)[0].tolist() == [1]
    reading.by_cell_type.iloc[2] = [0.0, 100]
    reading.by_cell_type.iloc[0] = [0.0, 50]
    assert choose_genes([], 2, GENES, reading)[0].tolist() == [0, 2]
