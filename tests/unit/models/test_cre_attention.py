import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from cisgrammar.common.errors import InputError
from cisgrammar.data.gene_batches import GeneBatch
from cisgrammar.models.cre_attention import (
    CreAttention,
    build_attention,
    load_attention,
    save_attention,
)

SMALL = {
    "described": 5, "heads": 7, "head_size": 3, "hidden": 6, "joined": 4, "wide": 9, "outputs": 2,
}  # fmt: skip


def made_batch(counts, n_cells=11, seed=0, dtype=torch.float32):
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=rng).to(dtype)

    n = sum(counts)
    return GeneBatch(
        draw(len(counts), 5), draw(n, 5), draw(n), counts,
        [draw(n_cells, 1 + count).abs() for count in counts],
    )  # fmt: skip


def published(model, batch):
    """The layers one after the other, a gene at a time and in full."""
    outputs, end = [], 0
    for i, count in enumerate(batch.counts):
        rows = slice(end, end := end + count)
        query = model.query(batch.promoters[i]).view(model.heads, model.head_size)
        distance = batch.distances[rows] * (model.distance != "none")
        keys = model.key(torch.cat([batch.candidates[rows], distance[:, None]], dim=1))
        logits = torch.einsum("hd,phd->hp", query, keys.view(count, model.heads, -1))
        if model.norm == "code":
            logits = F.layer_norm(logits, (count,))
        if model.distance == "decay":
            rate = model.log_rate.exp()[:, None]
            logits = logits * torch.exp(-batch.distances[rows].abs() * rate)
        access = batch.accessibility[i].T
        product = logits @ access[1:]  # (heads, cells)
        if model.norm == "paper":
            product = F.instance_norm(product[None])[0]
        product = product + model.promoter(query) * access[:1]
        x = F.relu(model.hidden(product.T))
        outputs.append(model.output(F.relu(model.wide(model.joined(x)))))
    return torch.stack(outputs)


def test_the_published_sizes_have_the_published_number_of_weights():
    assert sum(weight.numel() for weight in CreAttention().parameters()) == 1_760_531


@pytest.mark.parametrize("norm", ["code", "paper", "none"])
@pytest.mark.parametrize("distance", ["key", "decay", "none"])
def test_the_fused_path_gives_what_the_layers_give(norm, distance):
    model = build_attention({**SMALL, "norm": norm, "distance": distance}, seed=1).double()
    batch = made_batch([4, 2, 9], dtype=torch.float64)
    assert torch.allclose(model(batch), published(model, batch), atol=1e-9)


@given(st.lists(st.integers(2, 8), min_size=1, max_size=4), st.sampled_from(["code", "paper"]))
def test_a_gene_gives_the_same_alone_and_beside_wider_ones(counts, norm):
    model = build_attention({**SMALL, "norm": norm}, seed=1).double()
    batch = made_batch(counts, dtype=torch.float64)
    together = model(batch)
    ends = np.cumsum(counts)
    for i, (count, end) in enumerate(zip(counts, ends, strict=True)):
        rows = slice(end - count, end)
        alone = GeneBatch(
            batch.promoters[i : i + 1], batch.candidates[rows], batch.distances[rows], [count],
            batch.accessibility[i : i + 1],
        )  # fmt: skip
        assert torch.allclose(model(alone)[0], together[i], atol=1e-12)


def test_without_distance_places_do_not_matter_and_with_it_they_do():
    for distance, same in (("none", True), ("key", False), ("decay", False)):
        model = build_attention({**SMALL, "distance": distance}, seed=1)
        batch = made_batch([4, 3])
        moved = GeneBatch(
            batch.promoters, batch.candidates, -3 * batch.distances, batch.counts,
            batch.accessibility,
        )  # fmt: skip
        assert torch.equal(model(batch), model(moved)) == same


def test_dropout_is_drawn_from_the_generator_alone():
    model, batch = build_attention(SMALL, seed=1), made_batch([4, 3])
    first, again = (model(batch, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, model(batch, torch.Generator().manual_seed(4)))


def test_a_checkpoint_gives_the_model_back(tmp_path):
    model, batch = build_attention({**SMALL, "distance": "decay"}, seed=1), made_batch([4, 3])
    save_attention(model, tmp_path / "model.pt")
    assert torch.equal(load_attention(tmp_path / "model.pt")(batch), model(batch))
    (tmp_path / "model.pt").write_bytes(b"not this")
    with pytest.raises(InputError, match="not a checkpoint of the cRE attention model"):
        load_attention(tmp_path / "model.pt")
