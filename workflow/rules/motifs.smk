"""Filters become motifs."""


rule extract_motifs:
    input:
        dataset=dataset_of,
        folds=folds_of,
        model="results/{name}/{model}/fold{fold}/model.pt",
    output:
        motifs="results/{name}/{model}/fold{fold}/motifs.meme",
        table="results/{name}/{model}/fold{fold}/motifs.tsv",
    log:
        "logs/extract_motifs/{name}.{model}.fold{fold}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(3000, dataset=15),
        runtime=scaled(10, dataset=0.1),
    params:
        min_sequences=config["motifs"]["min_sequences"],
        code=model_code("extract_motifs"),
    message:
        "Reading motifs out of {wildcards.model}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/extract_motifs.py"


rule gather_motifs:
    input:
        motifs=per_fold("motifs.meme"),
        tables=per_fold("motifs.tsv"),
    output:
        motifs="results/{name}/{model}/motifs.meme",
        table="results/{name}/{model}/motifs.tsv",
    log:
        "logs/gather_motifs/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(2000, motifs=10),
        runtime=scaled(10),
    params:
        code=code("gather_motifs"),
    message:
        "Gathering the motifs of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/gather_motifs.py"
