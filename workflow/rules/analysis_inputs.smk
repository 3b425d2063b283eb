"""What single analyses ask for: the files and settings that depend on the model."""


def truth_of(wildcards):
    """Give the comparison with the truth, where there is one: only filters are compared."""
    known = TRUTH and "filters" in MODELS[wildcards.model].abilities
    return when(known, f"results/{wildcards.name}/{wildcards.model}/truth/summary.tsv")


def noise_ceiling_of(wildcards):
    """Give the noise ceiling, where the truth says none."""
    asked = CEILING and not truth_of(wildcards)
    return when(asked, f"results/{wildcards.name}/noise_ceiling.tsv")


def means_of_families(label):
    """Give the tables of families' scores by a label of pools: both scores, raw and standardised."""
    return {
        f"{score}_by_{label}{z}": f"{MODEL}/family_{score}_by_{label}{z}.tsv"
        for score in ("influence", "effect")
        for z in ("", "_z")
    }


def control_minutes(wildcards):
    """Allow time for each MB of data: that of training, for each control."""
    return 3 * training_minutes(wildcards)


NEURONS = config["neurons"]
OWN_NETWORK = "own_network"  # stands for a model where the user gives a network
# what neurons are read of
NETWORKS = list(NEURONS["models"] or models_with("convolutions", CHOSEN)) if NEURONS else []
if NEURONS and NEURONS["weights"]:
    NETWORKS.append(OWN_NETWORK)


def network_files(wildcards):
    """Give the checkpoint that convolutions are taken of, or the user's weights and layers."""
    if wildcards.model == OWN_NETWORK:
        return OWN_NETWORK_FILES
    return FIRST_MODEL.format(name=wildcards.name, model=wildcards.model)


def model_of_network(wildcards):
    """Give the whole model, to be asked for its outputs; a network of the user's has none here."""
    return when(wildcards.model != OWN_NETWORK, network_files(wildcards))


def sequences_of_network(wildcards):
    """Give the sequences that neurons are asked about: those of the model, or of the first one."""
    model = CHOSEN[0] if wildcards.model == OWN_NETWORK else wildcards.model
    return f"results/{wildcards.name}/{MODELS[model].data.dataset}"


def network_code(script):
    """Digest a script as `model_code` does; a user's network has no module of its own."""

    def digest(wildcards):
        own = wildcards.model == OWN_NETWORK
        return code(script) if own else code(script, MODELS[wildcards.model].module)

    return digest


def how_to_read_neurons(*keys):
    """Give these keys of the section on neurons; nothing where there is none."""
    return {key: NEURONS[key] for key in keys} if NEURONS else {}


def costs_per_fold(rule):
    """Give what a rule's jobs took, one file for each fold of the model."""

    def files(wildcards):
        where = f"benchmarks/results/{wildcards.name}/{rule}.{wildcards.model}"
        return [f"{where}.fold{fold}.costs.tsv" for fold in fold_numbers(wildcards.model)]

    return files


def removed_filters(wildcards):
    """Give the scores without some filters, where a model has filters."""
    has_filters = "filters" in MODELS[wildcards.model].abilities
    return when(
        REMOVED and has_filters,
        f"results/{wildcards.name}/{wildcards.model}/removed_filters.tsv",
    )


def shuffled(file):
    """Give the scores of models trained on shuffled labels, where these are asked for."""

    def files(wildcards):
        asked = training_of(wildcards.model)["shuffled_control"]
        return per_fold(f"shuffled_{file}")(wildcards) if asked else []

    return files


def shares_of(model):
    """List the shares of open entries that a model is trained on."""
    return sorted(set(config[model]["downsampling"]["shares"]), reverse=True)


def measures_of_depths(wildcards):
    """Give the measures at each depth; all entries are what the model itself was trained on."""
    where = f"results/{wildcards.name}/{wildcards.model}/downsampling"
    return [f"{where}/{share}.tsv" for share in (1, *shares_of(wildcards.model))]


def ablations_of(model):
    """Name the parts of a model's inputs that it is trained on apart, as in `try_ablation`."""
    asked = config[model].get("ablations", {"inputs": [], "windows": []})
    return [*asked["inputs"], *(f"{before}_{after}" for before, after in asked["windows"])]


def scores_of_ablations(wildcards):
    """Give the scores of each ablation and fold."""
    where = f"results/{wildcards.name}/{wildcards.model}/ablations"
    return [
        f"{where}/{ablation}.fold{fold}.tsv"
        for ablation in ablations_of(wildcards.model)
        for fold in fold_numbers(wildcards.model)
    ]


LINK_VARIANTS = ["model", *(LINKS["ablations"] if LINKS is not None else [])]
HAS_LINK_TRUTH = LINKS is not None and bool(LINK_TRUTHS or SIMULATED_LINKS)


def how_to_link(*keys):
    """Give some keys of the section about links."""
    return {key: LINKS[key] for key in keys}


def how_to_train_links():
    """Give the keys of links by which its model learns."""
    keys = ("reach", "accessibility", "centred", "scale", "target", "expression", "cells")
    return how_to_link(*keys, "network", "training")


def how_to_score_links():
    """Give the same, and when a pair is called."""
    return how_to_train_links() | how_to_link("calls")


def how_to_score_simply():
    """Give the keys of simple methods but the pools."""
    return {key: LINKS["baselines"][key] for key in ("n_background", "ridge_penalty")}


def how_to_pool_for_links():
    """Give the number and size of pools over which simple methods correlate."""
    return {"n_pools": LINKS["baselines"]["n_pools"], "size": LINKS["baselines"]["cells_per_pool"]}


def models_of_links(wildcards):
    """Give the models of all folds, of one variant."""
    where = f"results/{wildcards.name}/{wildcards.model}/links/{wildcards.variant}"
    return [f"{where}/fold{fold}/model.pt" for fold in range(LINKS["folds"]["n_folds"])]


def spoiled_links(wildcards):
    """Give the links by models of which something is spoiled."""
    where = f"results/{wildcards.name}/{wildcards.model}/links"
    return [f"{where}/{variant}/links.tsv" for variant in LINKS["ablations"]]


def link_truths(wildcards):
    """Give the files that say which pairs are links: the user's by kind, and the planted ones."""
    truth = f"results/{wildcards.name}/simulation/truth"
    planted = {"planted": f"{truth}/links.tsv", "activities": f"{truth}/link_activities.tsv"}
    return LINK_TRUTHS | (planted if SIMULATED_LINKS else {})


# whose predictions variants may change
VARIANT_MODELS = (VARIANTS["models"] or sequence_readers(config)) if VARIANTS else []


def how_to_ask_variants(*keys):
    """Give these keys of the section on variants; nothing where there is none."""
    return {key: VARIANTS[key] for key in keys} if VARIANTS else {}


ATTRIBUTION_MODELS = attributed_models(config)  # whose predictions are followed back to bases


def how_to_attribute(*keys):
    """Give these keys of the section on attributions; nothing where there is none."""
    return {key: config["attributions"][key] for key in keys} if config["attributions"] else {}


# what is known of the expression of genes, by what models learn; nothing where it was not measured
EXPRESSION_OF = {
    "pools": EXPRESSION,
    "cells": CELLS_EXPRESSION,
    "populations": "results/{name}/populations.h5ad",
}


def expression_of(wildcards):
    """Give the expression of genes in what a model's targets are."""
    return EXPRESSION_OF[MODELS[wildcards.model].data.name] or []


def motif_effects(model):
    """Name the table of what motifs do in cell types, for a model that says it in one way."""
    abilities = MODELS[model].abilities
    for ability, table in (
        ("filters", "family_effect_by_cell_type.tsv"),
        ("kmers", "kmers.tsv"),
        ("inserts", "tf_activity_by_cell_type.tsv"),
    ):
        if ability in abilities:
            return table
    has_patterns = model in ATTRIBUTION_MODELS and config["attributions"]["patterns"]
    return "attributions/families_by_label.tsv" if has_patterns else None


# models whose motifs can be compared with those of others, and their tables
MOTIF_EFFECTS = {model: table for model in CHOSEN if (table := motif_effects(model))}
