"""Score a model's embeddings of cells beside simpler ones."""

from cisgrammar.cells.components import log_pca, lsi
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.evaluate.embedding_metrics import compare_embeddings, harmonize
from cisgrammar.interpret.cell_embedding import KEY

files = snakemake.input
with log_to(snakemake.log[0]):
    seed = derive_seed(snakemake.params.seed, "compare_embeddings")
    dataset = read_h5ad(files.dataset)
    learned = [read_h5ad(path).obsm[KEY] for path in files.embeddings]
    model, folds = snakemake.wildcards.model, range(len(learned))
    names = [model] if len(learned) == 1 else [f"{model}_fold{i}" for i in folds]
    n = min(learned[0].shape[1], *(size - 1 for size in dataset.shape))
    embeddings = dict(zip(names, learned, strict=True))
    embeddings["lsi"] = lsi(dataset.X, n, seed)[:, 1:]  # the first follows depth
    embeddings["pca"] = log_pca(dataset.X, n, seed)
    batches = dataset.obs["batch"] if dataset.obs["batch"].nunique() > 1 else None
    if batches is not None:
        embeddings["harmony"] = harmonize(embeddings["lsi"], batches, seed)
    independent = None
    if files.expression:
        expression = read_h5ad(files.expression)[dataset.obs_names]
        n = min(50, *(size - 1 for size in expression.shape))
        independent = log_pca(expression.X, n, seed)
    metrics = compare_embeddings(
        embeddings,
        dataset.obs["cell_type"],
        batches=batches,
        independent=independent,
        seed=seed,
    )
    write_table(metrics, snakemake.output.metrics)
