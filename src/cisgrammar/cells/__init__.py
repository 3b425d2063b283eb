"""From counts to pools: filtering, components, neighbours, seeds, pooling."""
