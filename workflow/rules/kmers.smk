"""What the k-mers of a model say, by place in the window and cell type."""


rule read_kmers:
    input:
        dataset=dataset_of,
        database=DATABASE,
        models=per_fold("model.pt"),
    output:
        kmers=model_table("kmers.tsv", "kmers_table", "03. Motifs and their influence", "K-mers"),
    log:
        "logs/read_kmers/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("kmers"),
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(3000, dataset=30),
        runtime=scaled(30, dataset=0.5),
    params:
        database=config["database"],
        n_kmers=config["figures"]["n_kmers"],
        code=model_code("read_kmers"),
    message:
        "Reading the k-mers of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/read_kmers.py"


rule plot_kmers:
    input:
        kmers="results/{name}/{model}/kmers.tsv",
        cell_types=CELL_TYPES,
    output:
        **model_figures(
            heatmap=("kmer_heatmap", "K-mers by cell type"),
            category="03. Motifs and their influence",
        ),
    log:
        "logs/plot_kmers/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("kmers"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        code=code("plot_kmers"),
    message:
        "Drawing the k-mers of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/plot_kmers.py"


OUTPUTS["kmers"] += ["kmers.tsv", "figures/kmer_heatmap.svg"]
SUMMARISED["kmers"] += ["kmers.tsv"]
