"""What a run makes, and how it is shown in the report."""

from collections import defaultdict

# Final files by ability: below results/{name}/{model}/ of each model that has it; by model, where
# its settings decide; and by kind of data: below results/{name}/ where a model learns these. Each
# rule file adds its own.
OUTPUTS = defaultdict(list)
# What the first page reads of them, and of other files, in the same way.
SUMMARISED = defaultdict(list)


def final_outputs():
    """List what `snakemake` makes when no target is named."""
    files = ["provenance.json", "summary.html", "preflight.tsv"]
    return in_results(files + of_models(OUTPUTS))


def summarised():
    """List what the first page reads."""
    kinds = dict.fromkeys(MODELS[model].data for model in CHOSEN)
    files = ["preflight.tsv", *(kind.dataset for kind in kinds)]
    return in_results(files + of_models(SUMMARISED))


def of_models(table):
    """List the files of a table that are of the config's models and of their data."""
    specs = [MODELS[model] for model in CHOSEN]
    kinds = dict.fromkeys(spec.data.name for spec in specs)
    return [file for kind in kinds for file in table[kind]] + [
        f"{spec.name}/{file}"
        for spec in specs
        for owner, its in table.items()
        if owner in {spec.name, *spec.abilities}
        for file in its
    ]


def in_results(files):
    """Put files into the folder of the data set."""
    return [f"results/{NAME}/{file}" for file in files]


def model_figures(category, **figures):
    """Declare figures of a model: the SVG goes to the report, the PNG stands beside it.

    Each keyword gives a figure's file name, which is its caption's too, and its title.
    """
    folder = f"{MODEL}/figures"
    outputs = {
        key: report(
            f"{folder}/{stem}.svg",
            caption=f"../report/{stem}.rst",
            category=category,
            subcategory="{model}",
            labels={"figure": title},
        )
        for key, (stem, title) in figures.items()
    }
    return outputs | {"png": [f"{folder}/{stem}.png" for stem, _ in figures.values()]}


def model_table(path, caption, category, title):
    """Declare a table of a model that is shown in the report."""
    return report(
        f"{MODEL}/{path}",
        caption=f"../report/{caption}.rst",
        category=category,
        subcategory="{model}",
        labels={"figure": title},
    )
