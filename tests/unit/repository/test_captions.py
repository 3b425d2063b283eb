"""Captions of the report say what the sequences are."""

import re
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
from docutils.core import publish_parts

from cisgrammar.checks.config import complete_config
from cisgrammar.common.config import read_schema

ROOT = Path(__file__).parents[3]
CAPTIONS = sorted((ROOT / "workflow/report").glob("*.rst"))


def captions_of(*abilities):
    """Name the captions of rule files whose models have one of these abilities."""
    asked = rf'with_ability\("({"|".join(abilities)})"\)'
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    return {
        stem
        for text in texts
        if re.search(asked, text)
        for stem in re.findall(r'"(?:\.\./report/)?(\w+)(?:\.rst)?"', text)
    }


OF_CELLS = captions_of("embeds_cells", "inserts")  # they always learn peaks
OF_POPULATIONS = captions_of("by_population", "substitutes")  # and they always genes
SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")
PEAKS_ALONE = {"counts": {"path": "x", "modality": "atac"}, "peaks": {}}
MULTIOME = {"counts": {"path": "x"}, "peaks": {"distal": {}}}
GENES, SIMULATED = {"counts": {"path": "x"}}, {"simulation": {}}
GIVEN = {"given": {"targets": "x"}}
MULTIOME_SIMULATED = {"simulation": {"multiome": {}}, "peaks": {}, "models": ["scbasset"]}
BOTH = MULTIOME | {
    "models": ["scover", "scbasset"],
    "scbasset": {"training": {"shuffled_control": True}},
}
POPULATIONS = {
    "counts": {"path": "x", "cell_type": "kind"},
    "models": ["scxpresso"],
    "populations": {},
}
READ_FURTHER = MULTIOME | {
    "models": ["scbasset"],
    "links": {},
    "neurons": {},
    "variants": {"vcf": "mine.vcf.gz"},
    "attributions": {},
}
OF_SNAKEMAKE = {"trim_blocks": True, "lstrip_blocks": True}


def model_of(path):
    if path.stem in OF_POPULATIONS:
        return "scxpresso"
    return "scbasset" if path.stem in OF_CELLS else "scover"


FIRST_PAGE = Path("results/mine/summary_in_report.html")


def rendered(path, sections, options=OF_SNAKEMAKE, files=(FIRST_PAGE,)):
    config = complete_config({"name": "mine"} | sections, SCHEMA, source="config")
    wildcards = SimpleNamespace(name="mine", model=model_of(path))
    told = SimpleNamespace(
        config=config,
        wildcards=wildcards,
        params=SimpleNamespace(
            score="effect", n_cells=300, n_maps=5, n_bases=120, settings={"max_q": 0.1}
        ),
    )
    template = jinja2.Template(path.read_text(), undefined=jinja2.StrictUndefined, **options)
    return template.render(snakemake=told, files=[SimpleNamespace(path=file) for file in files])


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize("sections", [PEAKS_ALONE, MULTIOME, GENES, SIMULATED, GIVEN])
def test_captions_name_what_there_is(path, sections):
    text = " ".join(rendered(path, sections).split())
    assert "{" not in text and "None" not in text
    if path.stem in OF_CELLS | OF_POPULATIONS:
        return
    learned = re.sub(r"gene.sets?|marker genes|expression of genes|[Tt]he gene|genes?\.", "", text)
    if sections in (PEAKS_ALONE, MULTIOME, GIVEN):
        assert not re.search(r"held-out gene|test gene|validation gene|promoter", learned), text
    else:
        assert not re.search(r"held-out peak|test peak|validation peak", learned), text


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "sections",
    [
        *(PEAKS_ALONE, MULTIOME, GENES, SIMULATED, GIVEN, MULTIOME_SIMULATED, BOTH),
        *(POPULATIONS, READ_FURTHER),
    ],
)
def test_the_report_shows_captions_as_they_are_written(path, sections, tmp_path, monkeypatch):
    text = rendered(path, sections)
    (first_page := tmp_path / FIRST_PAGE).parent.mkdir(parents=True)
    first_page.write_text("<p>What went in</p>")  # the workflow's text holds it
    monkeypatch.chdir(tmp_path)
    assert text.split() == rendered(path, sections, options={}).split(), "words stick together"
    publish_parts(text, writer="html", settings_overrides={"halt_level": 2})


@pytest.mark.parametrize(
    "sections, words",
    [
        (PEAKS_ALONE, ["latent semantic indexing", "One window a peak, ", "annotations of cells."]),
        (
            MULTIOME,
            ["principal components", "Pools are made on the RNA", "transcription start site."],
        ),
        (GENES, ["expression from promoter DNA", "One window a gene, 500 bp before", "gene sets"]),
        (SIMULATED, ["simulated expression", "what was planted"]),
        (GIVEN, ["Data were given as sequences and targets", "Sequences are divided"]),
        (POPULATIONS, ["scXpresso, of populations of cells", "7000 bp before and 3500 bp after"]),
        (
            READ_FURTHER,
            [
                "Links of peaks and genes",
                "Neurons",
                "the variants of mine.vcf.gz change",
                "by DeepLIFT",
            ],
        ),
    ],
)
def test_the_first_page_tells_the_data_apart(sections, words):
    text = " ".join(rendered(ROOT / "workflow/report/workflow.rst", sections).split())
    for word in words:
        assert word in text


def test_sections_of_the_report_stand_in_the_order_of_their_numbers():
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    sections = set(re.findall(r'"(\d+\. [A-Z][^"]*)"', text))
    assert len(sections) > 10
    assert sorted(sections) == sorted(sections, key=lambda name: int(name.partition(".")[0]))


@pytest.mark.parametrize("files", [[], [FIRST_PAGE]])
def test_the_report_of_a_part_of_the_results_does_without_the_first_page(files):
    text = rendered(ROOT / "workflow/report/workflow.rst", GENES, files=files)
    assert (str(FIRST_PAGE) in text) == bool(files)
    assert ("raw::" in text) == bool(files)
