"""Rank what substitutions do in planted sites, by the models that never saw the genes."""

from cisgrammar.common.files import read_h5ad, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.population_truth import draw_genes, found_motifs, rank_sites
from cisgrammar.interpret.gene_mutagenesis import mutate_genes, tested_genes
from cisgrammar.models.checkpoints import load_model

files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(files.dataset)
    folds = read_folds(files.folds, dataset.var_names)
    models = [(fold, load_model(path)) for fold, path in enumerate(files.models)]
    sites = read_table(files.sites)
    tested = dataset.var_names[tested_genes(dataset, folds, len(models))]
    genes = draw_genes(tested.intersection(sites["gene"].unique()), params.n_genes, params.seed)
    effects = mutate_genes(models, dataset, folds, genes, params.upstream)
    ranks = rank_sites(effects, sites)
    kinds = read_table(files.activities, index_col="motif")
    write_table(ranks, out.ranks)
    write_table(found_motifs(ranks, kinds, dataset.obs), out.found)
