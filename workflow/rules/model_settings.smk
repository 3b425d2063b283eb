"""What rules know of models: their data, folds and settings, and the files of each."""

from types import SimpleNamespace

from cisgrammar.models.registry import MODELS, models_with

CHOSEN = config["models"]
SCORE = config["influence"]["score"]
# changes no result, so that it makes nothing run again
WITHOUT_EFFECT = ("threads", "checkpoint_epochs", "folds", "shuffled_control")
MODEL = "results/{name}/{model}"
WARM_START = config["tuning"]["warm_start"]
FIRST_FOLD = f"{MODEL}/fold0"
FIRST_MODEL = f"{FIRST_FOLD}/model.pt"


wildcard_constraints:
    model=one_of(CHOSEN),


def any_with(ability):
    """Say whether one of the config's models has an ability."""
    return bool(models_with(ability, CHOSEN))


def with_ability(ability):
    """Match the config's models that have an ability."""
    return one_of(models_with(ability, CHOSEN))


def model_code(script):
    """Digest a script as `code` does, with the model it is called for, or all of the config."""

    def digest(wildcards):
        models = [wildcards.model] if "model" in wildcards.keys() else CHOSEN
        return code(script, *(MODELS[model].module for model in models))

    return digest


def dataset_of(wildcards):
    """Give the sequences and targets that a model learns."""
    return f"results/{wildcards.name}/{MODELS[wildcards.model].data.dataset}"


def folds_of(wildcards):
    """Give the folds of a model's sequences."""
    return f"results/{wildcards.name}/{MODELS[wildcards.model].data.folds}"


def training_of(model):
    """Give the keys of training: a model's own before the general ones."""
    return config["training"] | config[model].get("training", {})


def fold_numbers(model):
    """List the folds that a model is trained in."""
    return range(training_of(model).get("folds", config["folds"]["n_folds"]))


def per_fold(file, folder=MODEL):
    """Give a model's files of one name, one for each fold."""

    def files(wildcards):
        where = folder.format(name=wildcards.name, model=wildcards.model)
        return [f"{where}/fold{fold}/{file}" for fold in fold_numbers(wildcards.model)]

    return files


def how_to_train(wildcards):
    """Give the keys of training that change its result, and the device."""
    keys = training_of(wildcards.model).items()
    return {key: value for key, value in keys if key not in WITHOUT_EFFECT}


def how_to_train_controls(wildcards):
    """Give the same for controls, of which one member is trained."""
    return how_to_train(wildcards) | {"members": 1}


def how_to_build(wildcards):
    """Give the settings by which a model is built and learns."""
    section = config[wildcards.model]
    not_for_building = (*WITHOUT_EFFECT, "members")  # a search is of one member
    own = {k: v for k, v in section.get("training", {}).items() if k not in not_for_building}
    return section["network"] | own | {"search": section["search"]}


def has_choice(model):
    """Say whether the search of a model leaves any choice."""
    section = config[model]
    choice = any(len(set(values)) > 1 for values in section["search"].values())
    return choice or "search" in section["network"].values()


def how_to_tune(wildcards):
    """Give the keys of tuning; where the search leaves no choice they change nothing."""
    keys = config["tuning"] | config[wildcards.model].get("tuning", {})
    del keys["warm_start"]
    return keys if has_choice(wildcards.model) else dict.fromkeys(keys, 1)


def first_search(wildcards):
    """Give the search of the first fold, where the others start from it."""
    if WARM_START and wildcards.fold != "0" and has_choice(wildcards.model):
        return f"{FIRST_FOLD}/trials.tsv".format(**wildcards)
    return []


def how_to_read(analysis, *keys, without=()):
    """Give a model's section for an analysis: some of its keys, or all but some."""

    def settings(wildcards):
        section = config[wildcards.model][analysis]
        return {k: section[k] for k in keys or section if k not in without}

    return settings


def of_each(models):
    """Stand in for a job's wildcards, for each of some models."""
    return [SimpleNamespace(name=NAME, model=model) for model in models]


def training_minutes(wildcards):
    """Allow time for each MB of data; where no model is named, for the slowest."""
    asked = of_each(CHOSEN) if wildcards is None else [wildcards]
    return max(how_to_train(each)["epochs"] for each in asked) / 50


def tuning_minutes(wildcards):
    """Allow time for each MB of data, in the same way."""
    asked = of_each(CHOSEN) if wildcards is None else [wildcards]
    keys = map(how_to_tune, asked)
    return max(tuning["trials"] * tuning["epochs"] for tuning in keys) / 1000


# regions to mutate, of the models that name some
MUTATED_BEDS = {
    model: existing(bed, f"{model}.mutagenesis.bed")
    for model in models_with("inserts", CHOSEN)
    if (bed := config[model]["mutagenesis"]["bed"])
}


def mutated_bed(wildcards):
    """Give the user's regions to mutate, where a model's section names a file."""
    return MUTATED_BEDS.get(wildcards.model, [])


# a network of the user's: weights, and their description
OWN_NETWORK_FILES = [
    existing(config["neurons"][key], f"neurons.{key}")
    for key in ("weights", "description")
    if config["neurons"] and config["neurons"][key]
]


try:  # all problems with keys and files are known now
    PROBLEMS.raise_if_any()
except InputError as error:
    raise WorkflowError(str(error)) from None
