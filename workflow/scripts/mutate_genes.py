"""Mutate every base around the TSSs of some genes in silico, by the models that never saw them."""

from cisgrammar.common.files import read_h5ad, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import read_folds
from cisgrammar.interpret.gene_mutagenesis import (
    check_pairs,
    compare_populations,
    effect_profile,
    mutate_genes,
    named_genes,
    tested_genes,
    variable_genes,
)
from cisgrammar.models.checkpoints import load_model

files, params, out = snakemake.input, snakemake.params, snakemake.output
settings, key = params.settings, f"{snakemake.wildcards.model}.mutagenesis"
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(files.dataset)
    folds = read_folds(files.folds, dataset.var_names)
    check_pairs(settings["compare"], dataset.obs_names, f"{key}.compare")
    models = [(fold, load_model(path)) for fold, path in enumerate(files.models)]
    tested = dataset[:, tested_genes(dataset, folds, len(models))]
    genes = named_genes(settings["genes"], dataset.var, f"{key}.genes")
    genes = genes or variable_genes(tested, settings["n_genes"])
    effects = mutate_genes(models, dataset, folds, genes, params.upstream)
    variable = variable_genes(tested, settings["n_variable"])
    profile = effect_profile(models, dataset, folds, variable, params.upstream)
    write_h5ad(effects, out.effects)
    write_table(compare_populations(effects, dataset, settings["compare"]), out.differences)
    write_table(profile, out.profile)
