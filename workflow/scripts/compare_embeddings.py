"""Score scBasset's embeddings of cells beside simpler ones."""

from anndata import read_h5ad

from cisgrammar.cell_embedding import KEY
from cisgrammar.components import log_pca, lsi
from cisgrammar.embedding_metrics import compare_embeddings
from cisgrammar.files import write_table
from cisgrammar.logs import log_to
from cisgrammar.seeds import derive_seed

files = snakemake.input
with log_to(snakemake.log[0]):
    seed = derive_seed(snakemake.params.seed, "compare_embeddings")
    dataset = read_h5ad(files.dataset)
    learned = [read_h5ad(path).obsm[KEY] for path in files.embeddings]
    names = (
        ["scbasset"] if len(learned) == 1 else [f"scbasset_fold{i}" for i in range(len(learned))]
    )
    n = min(learned[0].shape[1], *(size - 1 for size in dataset.shape))
    embeddings = dict(zip(names, learned, strict=True))
    embeddings["lsi"] = lsi(dataset.X, n, seed)[:, 1:]  # the first follows depth
    embeddings["pca"] = log_pca(dataset.X, n, seed)
    independent = None
    if files.expression:
        expression = read_h5ad(files.expression)[dataset.obs_names]
        n = min(50, *(size - 1 for size in expression.shape))
        independent = log_pca(expression.X, n, seed)
    metrics = compare_embeddings(
        embeddings,
        dataset.obs["cell_type"],
        batches=dataset.obs["batch"] if dataset.obs["batch"].nunique() > 1 else None,
        independent=independent,
        seed=seed,
    )
    write_table(metrics, snakemake.output.metrics)
