"""scBasset: a deep convolutional trunk, a bottleneck, and one linear output for each cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import torch
from anndata import AnnData
from torch import Tensor, nn
from torch.nn import functional as F

from cisgrammar.data.cells_by_peaks import batch_numbers
from cisgrammar.data.draws import Draws, drop
from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.data.split import Inputs, Split
from cisgrammar.genome.sequence import N
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.contribution_rules import Gradients, Rules
from cisgrammar.models.conv_layers import ConvLayer
from cisgrammar.models.kernels.norm_pool import update_running
from cisgrammar.models.kernels.scbasset_cpu import WIDEST, trunk
from cisgrammar.models.scbasset_changes import ChangedSequences
from cisgrammar.models.scbasset_layers import (
    EPS,
    GELU_SLOPE,
    MOMENTUM,
    PRECISIONS,
    TRUNCATED_STD,
    Block,
    gelu,
)
from cisgrammar.models.scbasset_objective import Accessibility
from cisgrammar.models.scbasset_start import start_of_cells


class Scbasset(SequenceModel):
    """The network of Yuan & Kelley (2022), Methods, "Model architecture".

    Parameters
    ----------
    n_targets
        Outputs: cells.
    length
        Bases of a sequence.
    stem_filters, stem_width, stem_pool
        The first convolution and its pooling.
    tower_filters, tower_width, tower_pool
        Filters of each convolution of the tower; their width and pooling.
    last_filters
        Of the convolution of width 1 that ends the tower.
    bottleneck
        Numbers that describe a sequence, and a cell.
    dropout
        Share of the bottleneck that is left out in training.
    n_batches
        Batches of cells to correct for; 0 for none.
    precision
        ``float32``, or ``bfloat16`` for the convolutions; weights, the bottleneck and the loss
        stay float32.

    Notes
    -----
    Where paper and code differ this is the code. GELU stands before each convolution, that of
    the one-hot sequence included, not after it; pooling follows normalisation; convolutions have
    no bias. The paper's output of the first block, 488 x 288, is 448 x 288. N and what shifts
    bring in are 1/4 of each base; the original's readers draw a random base for N.

    GELU(x) is ``silu(1.702 x) / 1.702``: the factor before is folded into the normalisation,
    the divisor into the following weights, and the values between blocks are silu alone.
    """

    name: ClassVar[str] = "scbasset"
    bases: Tensor
    batch_of_target: Tensor
    search: ClassVar[dict[str, str]] = {"learning_rate": "log_uniform", "batch_size": "choice"}

    def __init__(
        self,
        n_targets: int,
        length: int = 1344,
        stem_filters: int = 288,
        stem_width: int = 17,
        stem_pool: int = 3,
        tower_filters: Sequence[int] = (288, 323, 363, 407, 456, 512),
        tower_width: int = 5,
        tower_pool: int = 2,
        last_filters: int = 256,
        bottleneck: int = 32,
        dropout: float = 0.2,
        n_batches: int = 0,
        precision: str = "float32",
    ) -> None:
        super().__init__()
        self._sizes: dict[str, Any] = {
            "length": length,
            "stem_filters": stem_filters,
            "stem_width": stem_width,
            "stem_pool": stem_pool,
            "tower_filters": list(tower_filters),
            "tower_width": tower_width,
            "tower_pool": tower_pool,
            "last_filters": last_filters,
            "bottleneck": bottleneck,
            "dropout": dropout,
            "precision": precision,
        }
        self.precision, self.dropout = precision, dropout
        self.stem = Block(4, stem_filters, stem_width, stem_pool)
        blocks, channels = [], stem_filters
        for filters in tower_filters:
            blocks.append(Block(channels, filters, tower_width, tower_pool))
            channels = filters
        self.tower = nn.ModuleList([*blocks, Block(channels, last_filters, 1, 1)])
        left = math.ceil(length / stem_pool)
        for _ in tower_filters:
            left = math.ceil(left / tower_pool)
        self.dense = nn.Linear(left * last_filters, bottleneck, bias=False)
        self.norm = nn.BatchNorm1d(bottleneck, eps=EPS, momentum=MOMENTUM)
        self.head = nn.Linear(bottleneck, n_targets)  # (cells, bottleneck): the cell embedding
        self.batch_head = nn.Linear(bottleneck, n_batches) if n_batches else None
        self.register_buffer("batch_of_target", torch.zeros(n_targets, dtype=torch.int64))
        bases = torch.cat([torch.eye(4), torch.full((1, 4), 0.25)])  # A, C, G, T, N
        self.register_buffer("bases", F.silu(GELU_SLOPE * bases), persistent=False)
        self.recipe: dict[str, Any] = {}

    @classmethod
    def build(
        cls,
        n_targets: int,
        settings: Mapping[str, Any],
        hyperparameters: Mapping[str, Any],
        generator: torch.Generator,
    ) -> Scbasset:
        """Make a model with the published initial weights.

        Truncated normal of variance 2 / inputs (Keras's ``he_normal``) in every layer, biases 0.

        Parameters
        ----------
        n_targets
            Cells.
        settings
            The model's settings; to correct for batches also
            ``batch_of_target``, the number of each cell's batch.
        hyperparameters
            None of them changes the network.
        generator
            What weights are drawn from.
        """
        batches = settings.get("batch_of_target")
        model = cls(
            n_targets,
            n_batches=0 if batches is None else int(max(batches)) + 1,
            **{key: settings[key] for key in SIZES},
        )
        with torch.no_grad():
            for weight in model.parameters():
                if weight.dim() > 1:
                    std = math.sqrt(2 / weight[0].numel()) / TRUNCATED_STD
                    nn.init.trunc_normal_(weight, 0, std, -2 * std, 2 * std, generator=generator)
            for layer in (model.head, model.batch_head):
                if layer is not None:
                    layer.bias.zero_()
            if batches is not None:
                model.batch_of_target.copy_(torch.as_tensor(batches))
        model.recipe = {key: value for key, value in settings.items() if key not in SIZES}
        return model

    @classmethod
    def complete_settings(cls, settings: Mapping[str, Any], dataset: AnnData) -> dict[str, Any]:
        """Add the sequences' length, and each cell's batch where batches are corrected for."""
        complete = {**settings, "length": dataset.varm["codes"].shape[1]}
        if settings["correct_batches"]:
            complete["batch_of_target"] = batch_numbers(dataset.obs["batch"]).tolist()
        return complete

    def sizes(self) -> dict[str, Any]:
        """Keyword arguments that make an empty model of this shape."""
        n_batches = 0 if self.batch_head is None else self.batch_head.out_features
        return {"n_targets": self.head.out_features, "n_batches": n_batches, **self._sizes}

    def objective(self, split: Split) -> Accessibility:
        """Say what training minimises and watches."""
        return Accessibility(self, split)

    @torch.no_grad()
    def prepare(self, split: Split) -> None:
        """Start the cells' weights from components of the training peaks, unless by chance."""
        if self.recipe["start"] == "random":
            return
        assert isinstance(split.targets, OpenEntries)
        batches = self.batch_of_target.cpu().numpy() if self.batch_head is not None else None
        weight, intercept = start_of_cells(
            split.targets, split.train, self.head.in_features, batches
        )
        self.head.weight.copy_(torch.from_numpy(weight))
        self.head.bias.copy_(torch.from_numpy(intercept))

    def convolutions(self) -> dict[str, list[ConvLayer]]:
        """Describe its convolutions: what they read has gone through GELU, the bases too."""
        return {self.name: [block.described() for block in (self.stem, *self.tower)]}

    def changed_sequences(self, codes: Tensor) -> ChangedSequences:
        """Run sequences once, and keep what their changes need."""
        return ChangedSequences(self, codes)

    def forward(self, inputs: Inputs) -> Tensor:
        """Predict logits: ``(batch, cells)``."""
        weight, bias = self.cell_weights()
        return F.linear(self.embed(inputs.codes), weight, bias)

    def predict_bases(self, bases: Tensor, inputs: Inputs, rules: Rules) -> Tensor:
        """Predict from bases as numbers; see :class:`~cisgrammar.models.abilities.ReadsBases`.

        GELU of a base is an embedding here, linear in how much of each base there is.
        """
        known = self.bases[:N]
        x = bases @ known
        x = x + (inputs.codes == N)[:, :, None] * (self.bases[N] - known.mean(dim=0))
        x = x.transpose(1, 2)
        for block in (self.stem, *self.tower):
            x = cast(Block, block).followed(x, rules)
        weight, bias = self.cell_weights()
        return F.linear(self.embed_features(x, rules=rules), weight, bias)

    def embed(self, codes: Tensor, draws: Draws | None = None) -> Tensor:
        """Describe sequences by the numbers of the bottleneck.

        Parameters
        ----------
        codes
            uint8 ``(batch, length)``.
        draws
            Of dropout; without them nothing is dropped.

        Returns
        -------
        float32 ``(batch, bottleneck)``.
        """
        return self.embed_features(self.features(codes), draws)

    def features(self, codes: Tensor) -> Tensor:
        """Run the convolutions: ``(batch, last_filters, positions)``, float32."""
        dtype = PRECISIONS[self.precision]
        x = self.bases.to(dtype)[codes.long()]  # (batch, length, 4)
        narrow = self._sizes["tower_width"] <= WIDEST
        if self.training and x.dtype == torch.float32 and x.device.type == "cpu" and narrow:
            return self._features_on_cpu(x)
        x = x.transpose(1, 2)
        x = self.stem(x)
        for block in self.tower:
            x = block(x)
        return x.float()

    def _features_on_cpu(self, x: Tensor) -> Tensor:
        """Do the same in training, with less memory; gradients go to the weights only."""
        blocks = [self.stem, *self.tower]
        z, moments = trunk(
            x,
            [block.weight / GELU_SLOPE for block in blocks],
            [GELU_SLOPE * block.gain for block in blocks],
            [GELU_SLOPE * block.offset for block in blocks],
            [block.pool for block in blocks],
            EPS,
        )
        length = x.shape[1]
        for block, (mean, var) in zip(blocks, moments, strict=True):
            update_running(
                block.running_mean, block.running_var, mean, var, len(x) * length, MOMENTUM
            )
            length = -(-length // block.pool)
        return F.silu(z).transpose(1, 2)

    def embed_features(
        self,
        features: Tensor,
        draws: Draws | None = None,
        rules: Rules | None = None,
    ) -> Tensor:
        """Go on from :meth:`features` to the bottleneck."""
        flat = features.transpose(1, 2).flatten(1)  # position by position, as the original
        x = self.norm(self.dense(flat / GELU_SLOPE))
        return (rules or Gradients()).activate(gelu, drop(x, self.dropout, draws))

    def cell_weights(self) -> tuple[Tensor, Tensor]:
        """Give each cell's weights and intercept, those of its batch added.

        Returns
        -------
        ``(cells, bottleneck)`` and ``(cells,)``.

        Notes
        -----
        The original multiplies the batches' outputs by a batch-by-cell matrix of 0 and 1 and
        adds the product to the logits. Both layers are linear, so weights are added instead.
        """
        if self.batch_head is None:
            return self.head.weight, self.head.bias
        weight = self.head.weight + self.batch_head.weight[self.batch_of_target]
        return weight, self.head.bias + self.batch_head.bias[self.batch_of_target]


SIZES = (
    "length", "stem_filters", "stem_width", "stem_pool", "tower_filters", "tower_width",
    "tower_pool", "last_filters", "bottleneck", "dropout", "precision",
)  # fmt: skip


assert N == 4  # the last row of Scbasset.bases
