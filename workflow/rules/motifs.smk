"""Filters become motifs."""


rule extract_motifs:
    input:
        dataset="results/{name}/dataset.h5ad",
        folds="results/{name}/folds.tsv",
        model="results/{name}/{family}/fold{fold}/model.pt",
    output:
        motifs="results/{name}/{family}/fold{fold}/motifs.meme",
        table="results/{name}/{family}/fold{fold}/motifs.tsv",
    log:
        "logs/extract_motifs/{name}.{family}.fold{fold}.log",
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(3000, dataset=15),
        runtime=scaled(10, dataset=0.1),
    params:
        min_sequences=config["motifs"]["min_sequences"],
        code=code("extract_motifs"),
    message:
        "Reading motifs out of {wildcards.family}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/extract_motifs.py"


rule gather_motifs:
    input:
        motifs=per_fold("motifs.meme"),
        tables=per_fold("motifs.tsv"),
    output:
        motifs="results/{name}/{family}/motifs.meme",
        table="results/{name}/{family}/motifs.tsv",
    log:
        "logs/gather_motifs/{name}.{family}.log",
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(2000, motifs=10),
        runtime=scaled(10),
    params:
        code=code("gather_motifs"),
    message:
        "Gathering the motifs of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/gather_motifs.py"
