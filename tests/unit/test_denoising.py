import numpy as np
import pandas as pd
import pytest
import torch
from made_accessibility import build, motif_split

from cisgrammar.denoising import (
    agreement_with_expression,
    denoise,
    gene_scores,
    promoter_peaks,
)


@pytest.fixture
def case():
    model = build(batch_of_target=[0, 1] * 15).eval()
    torch.nn.init.normal_(model.head.bias, generator=torch.Generator().manual_seed(1))
    return model, motif_split().codes


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


def test_promoter_peaks_by_hand():
    peaks = pd.DataFrame(
        {
            "chrom": ["chr1", "chr1", "chr1", "chr2"],
            "start": [100, 3100, 3101, 1000],
            "end": [200, 3300, 3300, 1100],
        }
    )
    tss = pd.DataFrame({"chrom": ["chr1", "chr2", "chr3", "chr1"], "tss": [1100, 1000, 0, 2200]})
    of_gene = promoter_peaks(peaks, tss).toarray().tolist()
    assert of_gene == [[1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]]


def test_gene_scores_average_promoter_peaks(case):
    model, codes = case
    peaks = pd.DataFrame({"chrom": "chr1", "start": np.arange(200) * 10_000})
    peaks["end"] = peaks["start"] + 500
    tss = pd.DataFrame({"chrom": ["chr1", "chr9"], "tss": [5_250, 0]})
    of_gene = promoter_peaks(peaks, tss, reach=6000)
    scores = gene_scores(model, codes, of_gene)
    np.testing.assert_allclose(scores[0], expected(model, codes)[:2].mean(axis=0), atol=1e-5)
    assert np.isnan(scores[1]).all()


def test_agreement_leaves_out_genes_without_a_score():
    scores = np.array([[1.0, 2, 3], [np.nan] * 3, [5, 4, 9]])
    expression = np.array([[1.0, 2, 3], [7, 7, 7], [3, 2, 7]])
    per_cell, per_gene = agreement_with_expression(scores, expression)
    assert per_gene == pytest.approx([1, np.nan, 1], nan_ok=True)
    assert per_cell[0] == pytest.approx(1)
