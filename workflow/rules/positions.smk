"""Where along the window each family of motifs acts, for models that divide it into bins."""

BINNED = [
    model
    for model in models_with("filters", CHOSEN)
    if (config[model]["network"].get("bins") or 1) > 1
]


rule locate_families:
    input:
        dataset=dataset_of,
        folds=folds_of,
        models=per_fold("model.pt"),
        filters="results/{name}/{model}/filter_families.tsv",
        families="results/{name}/{model}/families.tsv",
    output:
        table="results/{name}/{model}/family_positions.tsv",
    log:
        "logs/locate_families/{name}.{model}.log",
    wildcard_constraints:
        model=one_of(BINNED),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(3000, dataset=15),
        runtime=scaled(10, dataset=0.5),
    params:
        origin=tss_in_window(),
        code=model_code("locate_families"),
    message:
        "Locating where the families of {wildcards.model} act in {wildcards.name}"
    script:
        "../scripts/locate_families.py"


rule plot_positions:
    input:
        table="results/{name}/{model}/family_positions.tsv",
        families="results/{name}/{model}/families.tsv",
        consistency="results/{name}/{model}/family_consistency.tsv",
        motifs="results/{name}/{model}/motifs.meme",
        cell_types=CELL_TYPES,
    output:
        **model_figures(
            positions=("family_positions", "Where families act"),
            category="04. Families of motifs",
        ),
    log:
        "logs/plot_positions/{name}.{model}.log",
    wildcard_constraints:
        model=one_of(BINNED),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, table=20),
        runtime=scaled(30),
    params:
        origin=tss_in_window(),
        score=SCORE,
        code=code("plot_positions"),
    message:
        "Drawing where the families of {wildcards.model} act in {wildcards.name}"
    script:
        "../scripts/plot_positions.py"


for each in BINNED:
    OUTPUTS[each] += ["family_positions.tsv", "figures/family_positions.svg"]
