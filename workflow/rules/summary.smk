"""The first page: what went in, what the models are worth, what they found, warnings."""


rule write_summary:
    input:
        summarised(),
    output:
        page=f"results/{NAME}/summary.html",
        body=f"results/{NAME}/summary_in_report.html",
    log:
        f"logs/write_summary/{NAME}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        models=CHOSEN,
        made=[path.removeprefix(f"results/{NAME}/") for path in [*final_outputs(), *summarised()]],
        code=code("write_summary"),
    message:
        f"Writing the first page of {NAME}"
    script:
        "../scripts/write_summary.py"
