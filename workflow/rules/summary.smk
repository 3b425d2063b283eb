"""The first page: what went in, what the models are worth, what they found, warnings."""


rule write_summary:
    input:
        summarised(),
    output:
        page="results/{name}/summary.html",
        body=report(
            "results/{name}/summary_in_report.html",
            caption="../report/summary.rst",
            category="00. First page",
            labels={"figure": "First page"},
        ),
    log:
        "logs/write_summary/{name}.log",
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
        "Writing the first page of {wildcards.name}"
    script:
        "../scripts/write_summary.py"
