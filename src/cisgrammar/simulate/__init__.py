"""Built-in data with the truth beside them: counts of genes by promoters, or a multiome."""
