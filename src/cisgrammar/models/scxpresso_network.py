"""The network of scXpresso: two convolutions with pooling, then features, then outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cisgrammar.data.draws import Draws, drop
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.contribution_rules import Gradients, Rules, pool
from cisgrammar.models.conv_layers import ConvLayer
from cisgrammar.models.kernels.conv_pool import conv_pool, conv_pool_codes
from cisgrammar.models.layer_lengths import POOL_PADDING, layer_lengths, padding
from cisgrammar.models.scxpresso_objective import EVALUATION_BATCH, StandardisedError

CONSTANT = 1e-5  # variance of standardised predictions, as published


class PopulationNetwork(SequenceModel):
    """Predict the mean expression of some populations: one network of Michielsen et al. (2024).

    Parameters
    ----------
    columns
        Which targets of the data set it predicts.
    length
        Bases of a sequence.
    n_features
        Of a gene's mRNA, such as lengths; those that are not annotated are NaN.
    inputs
        ``sequence``, ``features`` or ``both``.
    flagged
        Features, by number, beside which the network is told whether they are annotated.
    filters, width, pool
        First convolution and its pooling.
    second_filters, second_width, second_pool
        Second convolution and its pooling.
    hidden, dropout
        The layer that joins sequence and features, and the share left out of it in training.
    head
        ``one_layer``, ``two_layers`` or ``auto``: as published two where there is one output.
    head_hidden, head_dropout
        Of the layer between, where there are two.

    Notes
    -----
    Michielsen et al. (2024), "Architecture of scXpresso", and where that is silent their code.
    Targets and features are standardised by what :meth:`prepare` saw of the training part, so
    predictions are in the targets' own unit. A feature that is not annotated is the training
    part's mean.
    """

    name: ClassVar[str] = "scxpresso"
    feature_mean: Tensor
    feature_std: Tensor
    target_mean: Tensor
    target_std: Tensor

    def __init__(
        self,
        columns: Sequence[int],
        length: int,
        n_features: int,
        inputs: str,
        flagged: Sequence[int],
        filters: int,
        width: int,
        pool: int,
        second_filters: int,
        second_width: int,
        second_pool: int,
        hidden: int,
        dropout: float,
        head: str,
        head_hidden: int,
        head_dropout: float,
    ) -> None:
        super().__init__()
        self.columns = list(columns)
        self.reads_sequence = inputs in ("sequence", "both")
        self.reads_features = inputs in ("features", "both")
        self.flagged, self.dropout, self.head_dropout = list(flagged), dropout, head_dropout
        self.pool, self.second_pool = pool, second_pool
        self.first_padding, self.second_padding = padding(width), padding(second_width)
        n_inputs = 0
        if self.reads_sequence:
            widths = {"width": width, "second_width": second_width}
            pools = {"pool": pool, "second_pool": second_pool}
            self.first = nn.Conv1d(4, filters, width, padding=self.first_padding)
            self.second = nn.Conv1d(
                filters, second_filters, second_width, padding=self.second_padding
            )
            n_inputs += second_filters * layer_lengths(length, widths | pools)[-1]
        if self.reads_features:
            n_inputs += n_features + len(self.flagged)
        self.dense = nn.Linear(n_inputs, hidden)
        n_outputs = len(self.columns)
        two = head == "two_layers" or (head == "auto" and n_outputs == 1)
        self.between = nn.Linear(hidden, head_hidden) if two else None
        self.head = nn.Linear(head_hidden if two else hidden, n_outputs)
        for name, n in (("feature", n_features), ("target", n_outputs)):
            self.register_buffer(f"{name}_mean", torch.zeros(n))
            self.register_buffer(f"{name}_std", torch.ones(n))

    def prepare(self, split: Split) -> None:
        """Fit what standardises features and targets, on the training part."""
        assert isinstance(split.targets, Tensor)
        targets = split.targets[split.train][:, self.columns].double()
        self.target_mean.copy_(targets.mean(dim=0))
        self.target_std.copy_(_spread(targets.var(dim=0, correction=0)))
        if self.reads_features:
            features = split.inputs["features"][split.train].double()
            mean = features.nanmean(dim=0).nan_to_num(0.0)
            self.feature_mean.copy_(mean)
            self.feature_std.copy_(_spread((features - mean).square().nanmean(dim=0)))

    def objective(self, split: Split) -> StandardisedError:
        """Say what training minimises and watches."""
        return StandardisedError(self.recipe)

    @torch.no_grad()
    def has_collapsed(self, split: Split) -> bool:
        """Say whether some prediction is the same for all training genes, or owes nothing to DNA.

        Notes
        -----
        The original looks at the first population alone, and not at the sequences: where all
        filters have died behind their ReLUs, predictions differ by the features of genes.
        """
        self.eval()
        batches = [split.inputs.rows(rows) for rows in split.train.split(EVALUATION_BATCH)]
        if self.reads_sequence:
            convolved = [self.convolved(batch.codes) for batch in batches]
            if all(bool((each == convolved[0][:1]).all()) for each in convolved):
                return True
        predicted = torch.cat([self.standardised(batch) for batch in batches])
        return bool((predicted.var(dim=0) < CONSTANT).any())

    def standardise(self, targets: Tensor) -> Tensor:
        """Take this network's columns of targets, in standard deviations from the mean."""
        return (targets[:, self.columns] - self.target_mean) / self.target_std

    def forward(self, inputs: Inputs) -> Tensor:
        """Predict a batch in the targets' unit: ``(batch, targets)``."""
        return self.standardised(inputs) * self.target_std + self.target_mean

    def standardised(self, inputs: Inputs, draws: Draws | None = None) -> Tensor:
        """Predict a batch in standard deviations from the training part's mean.

        Parameters
        ----------
        inputs
            A batch.
        draws
            Of dropout; without them nothing is dropped.
        """
        convolved = self.convolved(inputs.codes) if self.reads_sequence else None
        return self.outputs(self.joined(convolved, inputs), draws)

    def joined(self, convolved: Tensor | None, inputs: Inputs) -> Tensor:
        """Join what the convolutions give, if they are asked, with features: before ReLU."""
        read = [] if convolved is None else [convolved.flatten(1)]  # filter by filter
        if self.reads_features:
            read.append(self.standard_features(inputs["features"]))
        return self.dense(torch.cat(read, dim=1))

    def outputs(
        self,
        joined: Tensor,
        draws: Draws | None = None,
        rules: Rules | None = None,
    ) -> Tensor:
        """Go on from the layer that joins sequence and features, before its ReLU."""
        rules = rules or Gradients()
        x = drop(rules.activate(F.relu, joined), self.dropout, draws)
        if self.between is not None:
            x = drop(rules.activate(F.relu, self.between(x)), self.head_dropout, draws)
        return self.head(x)

    def predict_bases(self, bases: Tensor, inputs: Inputs, rules: Rules) -> Tensor:
        """Predict from bases as numbers; see :class:`~cisgrammar.models.abilities.ReadsBases`."""
        x: Tensor | None = None
        if self.reads_sequence:
            x = self.first(bases.transpose(1, 2))
            x = pool(rules, x, self.pool, POOL_PADDING, POOL_PADDING)
            x = self.second(rules.activate(F.relu, x))
            x = rules.activate(F.relu, pool(rules, x, self.second_pool))
        outputs = self.outputs(self.joined(x, inputs), rules=rules)
        return outputs * self.target_std + self.target_mean

    def convolved(self, codes: Tensor) -> Tensor:
        """Run both convolutions with their pooling: ``(batch, second_filters, positions)``."""
        x = self.first_layer(codes)
        bias = cast(Tensor, self.second.bias)
        x = conv_pool(x, self.second.weight, bias, self.second_pool, self.second_padding)
        return x.transpose(1, 2)

    def first_layer(self, codes: Tensor, padded: bool = True) -> Tensor:
        """Run the first convolution and its pooling, with or without padding.

        Returns
        -------
        ``(batch, pools, filters)``.
        """
        ends = (self.first_padding, POOL_PADDING) if padded else (0, 0)
        bias = cast(Tensor, self.first.bias)
        return conv_pool_codes(codes, self.first.weight, bias, self.pool, *ends)

    def described(self) -> list[ConvLayer]:
        """Give the weights of both convolutions as numbers."""
        return [
            ConvLayer(
                layer.weight.detach().cpu().numpy(),
                cast(Tensor, layer.bias).detach().cpu().numpy(),
                pool=pool,
            )
            for layer, pool in ((self.first, self.pool), (self.second, self.second_pool))
        ]

    def standard_features(self, features: Tensor) -> Tensor:
        """Standardise features, 0 where not annotated, and add the flags of those that have one."""
        z = ((features - self.feature_mean) / self.feature_std).nan_to_num(0.0)
        return torch.cat([z, features[:, self.flagged].isnan().float()], dim=1)


def _spread(variance: Tensor) -> Tensor:
    """Take roots; what does not vary is divided by 1."""
    spread = variance.nan_to_num(0.0).sqrt()
    return torch.where(spread > 0, spread, 1.0)
