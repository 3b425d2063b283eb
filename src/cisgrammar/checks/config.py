"""Values of the config that do not go together, each fine by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cisgrammar.checks.asked_models import attributable, attributed_models, sequence_readers
from cisgrammar.common.config import fill_in, leaves, raise_all
from cisgrammar.models.layer_lengths import layer_lengths, shortest_window
from cisgrammar.models.registry import MODELS, POPULATIONS, models_with

SIMULATIONS = {
    "multiome": "a multiome",
    "populations": "a simulation of populations",
    "links": "a simulation of links",
}
_IN_ORDER = (
    ("simulation.populations.min_occurrence", "simulation.populations.max_occurrence"),
    ("simulation.min_occurrence", "simulation.max_occurrence"),
    ("simulation.min_activity", "simulation.max_activity"),
    ("simulation.multiome.min_occurrence", "simulation.multiome.max_occurrence"),
    ("simulation.multiome.min_activity", "simulation.multiome.max_activity"),
    ("simulation.links.min_spacing", "simulation.links.max_spacing"),
    ("simulation.links.min_occurrence", "simulation.links.max_occurrence"),
    ("simulation.links.min_effect", "simulation.links.max_effect"),
    ("simulation.links.min_activity", "simulation.links.max_activity"),
    ("links.calls.weak", "links.calls.strong"),
    ("gene_sets.min_size", "gene_sets.max_size"),
)


def complete_config(
    config: dict[str, Any], schema: dict[str, Any], source: str = "config"
) -> dict[str, Any]:
    """Check a config and fill in the defaults.

    Parameters
    ----------
    config, schema, source
        As for :func:`cisgrammar.common.config.fill_in`.

    Returns
    -------
    A new config with every key of the schema, in the schema's order.

    Raises
    ------
    InputError
        With all that is wrong by itself; or, where nothing is, with all values that contradict
        each other.
    """
    complete = fill_in(config, schema, source)
    raise_all(source, contradictions(complete, schema))
    return complete


def contradictions(config: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Say which values of a complete config do not go together."""
    for where, rule, value in leaves(config, schema):
        is_range = rule.get("minItems") == rule.get("maxItems") == 2
        if is_range and value[0] > value[1]:
            yield f"key `{where}` is {value}, but the lowest comes first. {rule['description']}"
    values = {where: value for where, _, value in leaves(config, schema)}
    for low, high in _IN_ORDER:
        if low in values and values[low] > values[high]:
            limit = f"`{high}` ({values[high]})"
            yield f"key `{low}` is {values[low]}, but it should be at most {limit}."
    yield from _two_sources(config)
    one, named = values.get("folds.n_folds") == 1, bool(values.get("folds.test_chromosomes"))
    if one != named:
        yield (
            f"key `folds.n_folds` is {values['folds.n_folds']}, but one fold and "
            "`folds.test_chromosomes` go together: set both, or neither."
        )
    if values.get("folds.validation_chromosomes") and not named:
        yield "key `folds.validation_chromosomes` needs `folds.test_chromosomes`."
    yield from _simulation(config, schema)
    yield from _peaks(config)
    yield from _populations(config)
    yield from _links(config)
    yield from _models(config)
    yield from _neurons(config)
    yield from _variants(config)
    yield from _attributions(config)
    if values.get("cells.clusters") is not None and values.get("counts.cell_type"):
        yield (
            "keys `cells.clusters` and `counts.cell_type` are set, but cells have types by one of "
            "them. Take out the other."
        )


def _peaks(config: dict[str, Any]) -> Iterator[str]:
    """Say what does not go with peaks, or with their absence."""
    peaks, counts = config.get("peaks"), config.get("counts", {})
    if peaks is None:
        if counts.get("modality") == "atac":
            yield (
                "key `counts.modality` is atac, so the counts are of peaks: say what to do with "
                "them in a section `peaks` (`peaks: {}` takes all defaults)."
            )
        return
    if config.get("given") is not None:
        yield "keys `peaks` and `given` are set, but `given` has no peaks. Take out one."
    simulation = config.get("simulation")
    if simulation and simulation["multiome"] is None and simulation["links"] is None:
        yield (
            "keys `peaks` and `simulation` are set, but the cells that are simulated have no "
            "peaks. Take out `peaks`, or ask for peaks by `simulation.multiome: {}`."
        )
    if config.get("regions", {}).get("bed"):
        yield "keys `peaks` and `regions.bed` are set; where peaks are is said by `peaks.bed`."
    files, own = counts.get("path"), peaks["path"]
    if counts.get("modality") == "atac":
        if own is not None:
            yield (
                "key `peaks.path` is set, but `counts.modality` is atac, so `counts.path` holds "
                "the peaks already. Leave out `counts.modality` if `counts.path` holds RNA."
            )
    elif own is not None and list(_names(own)) != list(_names(files)):
        yield (
            f"key `peaks.path` names the batches {', '.join(_names(own)) or 'none'}, but "
            f"`counts.path` {', '.join(_names(files)) or 'none'}. Both need the same, in one order."
        )


def _populations(config: dict[str, Any]) -> Iterator[str]:
    """Say what does not go with populations of cells."""
    populations = config.get("populations")
    if populations is None:
        return
    if config.get("given") is not None:
        yield (
            "keys `populations` and `given` are set, but populations are of genes and are made of "
            "cells. Take out `given`, and use a config of its own for it."
        )
    if config.get("peaks") is not None and config.get("counts", {}).get("modality") == "atac":
        yield (
            "keys `populations` and `counts.modality: atac` are set, but populations are of genes, "
            "whose RNA is not there. Take out `populations`, or give the RNA of the cells."
        )
    if config.get("regions", {}).get("bed"):
        yield (
            "keys `populations` and `regions.bed` are set, but the windows of populations are "
            "placed on the TSSs of `genome.gtf`. Take out `regions.bed`."
        )
    labelled = config.get("counts", {}).get("cell_type") or config.get("simulation") is not None
    if "cell_type" in populations["levels"] and not labelled:
        yield (
            "key `populations.levels` names cell_type, but `counts.cell_type` is empty. Name the "
            "column of cell types there, or other columns in `populations.levels`."
        )


def _links(config: dict[str, Any]) -> Iterator[str]:
    """Say what does not go with links of peaks and genes."""
    links, peaks = config.get("links"), config.get("peaks")
    if links is None:
        return
    if peaks is None or config.get("counts", {}).get("modality") == "atac":
        yield (
            "key `links` is set, but links are learned from RNA and peaks of the same cells. Say "
            "where the peaks are in a section `peaks`, and leave out `counts.modality`."
        )
    if not models_with("embeds_cells", config.get("models", [])):
        able = ", ".join(models_with("embeds_cells"))
        yield (
            "key `links` is set, but no model reads the peaks' sequences for it: name one of "
            f"{able} in `models`."
        )
    edges = links["evaluation"]["edges"]
    if edges != sorted(set(edges)):
        yield (
            f"key `links.evaluation.edges` is {edges}, but each must be above the one before. "
            "Sort them."
        )
    if links["promoter_reach"] >= links["reach"]:
        yield (
            f"key `links.promoter_reach` is {links['promoter_reach']}, but it should be below "
            f"`links.reach` ({links['reach']})."
        )


def _simulation(config: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Say which keys of the simulation do not hold for the kind of data that is simulated."""
    simulation = config.get("simulation")
    kinds = [kind for kind in SIMULATIONS if simulation and simulation[kind] is not None]
    if not simulation or not kinds:
        return
    if len(kinds) > 1:
        names = " and ".join(f"`simulation.{kind}`" for kind in kinds)
        yield f"keys {names} are set. Take out all but one."
        return
    (kind,) = kinds
    for key, rule in schema["properties"]["simulation"]["properties"].items():
        if key not in SIMULATIONS and simulation[key] != rule["default"]:
            there = key in simulation[kind]
            remedy = f"Set `simulation.{kind}.{key}`." if there else "Remove it."
            yield (
                f"key `simulation.{key}` is set, but it is not about {SIMULATIONS[kind]}, which "
                f"has keys of its own. {remedy}"
            )
    if kind == "populations" and config.get("populations") is None:
        yield (
            "key `simulation.populations` is set, but there is no section `populations`, which "
            "says how long windows are (`populations: {}` takes all defaults)."
        )


def _models(config: dict[str, Any]) -> Iterator[str]:
    """Say what the models that are asked for lack."""
    n_folds = config.get("folds", {}).get("n_folds")
    for name in config.get("models", []):
        spec, section = MODELS[name], config[name]
        for needed in spec.data.requires:
            if config.get(needed) is None:
                yield (
                    f"key `models` names {name}, which learns {spec.data.description}: say what "
                    f"to do with them in a section `{needed}` (`{needed}: {{}}` takes all "
                    "defaults)."
                )
        folds = section.get("training", {}).get("folds", 1)
        if folds > n_folds:
            yield (
                f"key `{name}.training.folds` is {folds}, but there are only {n_folds} folds "
                "(`folds.n_folds`)."
            )
        if "filters" in spec.abilities:
            yield from _filters(config, name)
        if spec.data is POPULATIONS and config.get("populations") is not None:
            yield from _what_is_read(config["populations"], name, section["network"])
            yield from _ablations(config["populations"], name, section)


def _neurons(config: dict[str, Any]) -> Iterator[str]:
    """Say where there is no network whose neurons could be read, or half of one."""
    asked, chosen = config.get("neurons"), config.get("models", [])
    if asked is None:
        return
    able = models_with("convolutions", chosen)
    for name in asked["models"] or []:
        if name not in able:
            why = "has no plain convolutions" if name in chosen else "is not among `models`"
            yield (
                f"key `neurons.models` names {name}, which {why}. Those that can be read: "
                f"{', '.join(able) or 'none'}."
            )
    if bool(asked["weights"]) != bool(asked["description"]):
        there, absent = (
            ("weights", "description") if asked["weights"] else ("description", "weights")
        )
        yield (
            f"key `neurons.{there}` is set, but not `neurons.{absent}`: a network of your own is "
            "its weights and the description of its layers. Set both, or neither."
        )
    if not (able or asked["weights"]):
        yield (
            f"there is a section `neurons`, but none of the models ({', '.join(chosen)}) has "
            "convolutions. Add one of "
            f"{', '.join(models_with('convolutions'))} to `models`, or set `neurons.weights`."
        )
    if asked["most_facets"] * asked["min_sequences"] > asked["sequences"]:
        yield (
            f"key `neurons.sequences` is {asked['sequences']}, too few for `neurons.most_facets` "
            f"({asked['most_facets']}) of at least `neurons.min_sequences` "
            f"({asked['min_sequences']}) each. Keep more sequences, or ask for fewer facets."
        )


def _variants(config: dict[str, Any]) -> Iterator[str]:
    """Say where no model could be asked about variants."""
    asked, chosen = config.get("variants"), config.get("models", [])
    if asked is None:
        return
    able = sequence_readers(config)
    for name in asked["models"] or []:
        if name not in able:
            why = "reads features of genes alone" if name in chosen else "is not among `models`"
            yield (
                f"key `variants.models` names {name}, which {why}. Those that can be asked: "
                f"{', '.join(able) or 'none'}."
            )
    if not able:
        yield (
            f"there is a section `variants`, but the models ({', '.join(chosen)}) read features of "
            "genes alone, which no variant changes. Let one read sequences "
            "(`scxpresso.network.inputs`), or take out the section."
        )
    to_ask = [name for name in able if name in (asked["models"] or able)]
    of_populations = [name for name in to_ask if MODELS[name].data is POPULATIONS]
    if asked["by"] and of_populations:
        yield (
            f"key `variants.by` is {asked['by']}, but {', '.join(of_populations)} predicts whole "
            "populations, which have no such column. Name other models in `variants.models`, or "
            "leave it out."
        )
    if config.get("given") is not None and asked["shifts"]:
        yield (
            "keys `variants.shifts` and `given` are set, but moved windows are read from a genome, "
            "which is not given. Take out `variants.shifts`."
        )


def _attributions(config: dict[str, Any]) -> Iterator[str]:
    """Say where no model could be asked what bases contribute, or two keys exclude each other."""
    asked = config.get("attributions")
    if asked is None:
        return
    able, method = attributable(config), asked["method"]
    for name in asked["models"] or []:
        if name not in able:
            why = (
                "cannot be asked that way" if name in config["models"] else "is not among `models`"
            )
            yield (
                f"key `attributions.models` names {name}, which {why} (`attributions.method` is "
                f"{method}). Those that can be asked: {', '.join(able) or 'none'}."
            )
    if not able:
        yield (
            f"there is a section `attributions`, but none of the models "
            f"({', '.join(config['models'])}) can be asked by {method}. Set "
            "`attributions.method: ism`, which any model that reads sequences allows, name another "
            "model, or take out the section."
        )
    if asked["bed"] and asked["names"]:
        yield "keys `attributions.bed` and `attributions.names` are set. Take out one of them."
    if asked["labels"] == [] and not asked["differences"]:
        yield (
            "keys `attributions.labels` and `attributions.differences` are empty lists, so nothing "
            "is asked. Leave out `attributions.labels` to take all labels."
        )
    of_populations = [m for m in attributed_models(config) if MODELS[m].data is POPULATIONS]
    if asked["by"] and of_populations:
        yield (
            f"key `attributions.by` is {asked['by']}, but {', '.join(of_populations)} predicts "
            "whole populations, which have no such column. Name other models in "
            "`attributions.models`, or leave it out."
        )


def _filters(config: dict[str, Any], name: str) -> Iterator[str]:
    """Say where a model's filters are wider than what it reads, or its bins too many."""
    regions, width = config.get("regions", {}), config[name]["network"]["width"]
    window = regions.get("upstream", 0) + regions.get("downstream", 0)
    keys = "`regions.upstream` + `regions.downstream`"
    if config.get("peaks"):
        window, keys = config["peaks"]["length"], "`peaks.length`"
    if regions.get("bed"):
        return
    if window < width:
        yield (
            f"key `{name}.network.width` is {width}, but windows are {window} bases long "
            f"({keys}). Make the filters narrower or the windows longer."
        )
    elif window - width + 1 < (bins := config[name]["network"].get("bins") or 1):
        yield (
            f"key `{name}.network.bins` is {bins}, but in windows of {window} bases ({keys}) a "
            f"filter of {width} has {window - width + 1} places. Take fewer bins."
        )


def _what_is_read(populations: dict[str, Any], name: str, network: dict[str, Any]) -> Iterator[str]:
    """Say where windows are too short for a model's pooling, or features are asked of nothing."""
    inputs = network["inputs"]
    window = populations["upstream"] + populations["downstream"]
    if inputs != "features" and layer_lengths(window, network)[-1] < 1:
        yield (
            f"keys `populations.upstream` + `populations.downstream` make windows of {window} "
            f"bases, of which both poolings of {name} leave no position. Make the windows "
            f"{shortest_window(network)} bases or longer, or `{name}.network.pool` "
            f"({network['pool']}) and `{name}.network.second_pool` ({network['second_pool']}) "
            "smaller."
        )
    has_features = populations["half_life"]["features"] or populations["table"]
    if inputs != "sequence" and not has_features:
        yield (
            f"key `{name}.network.inputs` is {inputs}, but there are no features of genes: "
            "`populations.half_life.features` and `populations.table` are empty. Ask for "
            f"some, or `{name}.network.inputs: sequence`."
        )


def _ablations(populations: dict[str, Any], name: str, section: dict[str, Any]) -> Iterator[str]:
    """Say which ablations of a model's inputs cannot be."""
    asked, network = section.get("ablations", {"inputs": [], "windows": []}), section["network"]
    if asked["inputs"] and network["inputs"] != "both":
        yield (
            f"key `{name}.ablations.inputs` takes one of two inputs away, but "
            f"`{name}.network.inputs` is {network['inputs']} already. Leave the key out."
        )
    if asked["windows"] and network["inputs"] == "features":
        yield (
            f"keys `{name}.ablations.windows` and `{name}.network.inputs: features` are set, but "
            "features have no window. Leave `windows` out."
        )
    for before, after in asked["windows"]:
        if before > populations["upstream"] or after > populations["downstream"]:
            yield (
                f"key `{name}.ablations.windows` asks for {before} + {after} bases, but windows "
                f"have {populations['upstream']} + {populations['downstream']} "
                "(`populations.upstream`, `populations.downstream`). Ask for shorter ones."
            )


def _names(files: Any) -> list[str]:
    return list(files) if isinstance(files, dict) else []


def _two_sources(config: dict[str, Any]) -> Iterator[str]:
    """Say where data would come from two places."""
    sources = {
        "simulation": config.get("simulation") is not None,
        "given": config.get("given") is not None,
        "counts.path": bool(config.get("counts", {}).get("path")),
    }
    used = [f"`{key}`" for key, is_set in sources.items() if is_set]
    if sources["given"] and len(used) > 1:
        yield (
            f"keys {' and '.join(used)} are set, but data come from one of them. Take out the rest."
        )
