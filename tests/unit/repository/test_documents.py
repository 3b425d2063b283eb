"""What the documents point at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "config").glob("*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith(("http", "mailto:"))]
    assert not [link for link in local if not (path.parent / link).exists()]


def test_map_of_contributing_leads_somewhere():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in text.splitlines() if line.startswith("| "))
    named = set(re.findall(r"`([\w./]+(?:\.\w+|/))`", table))
    folders = (ROOT, ROOT / "src/cisgrammar", ROOT / "src/cisgrammar/plots")
    assert len(named) > 20
    assert not [name for name in named if not any((folder / name).exists() for folder in folders)]


def test_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M))
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize(
    "words",
    [
        "holds values that are not integers (for example ",
        "Pools add up cells, and a sum of logarithms means nothing.",
        " genes are in the annotation, by id or by name. Some that are not: ",
        "or the counts name genes in another way.",
        "They are probably of different species or assemblies, or from sources that name "
        "chromosomes in their own way: use files from one source.",
        " cells have both RNA (",
    ],
)
def test_messages_of_the_first_day_are_those_of_the_code(words):
    code = "\n".join(path.read_text() for path in (ROOT / "src/cisgrammar").rglob("*.py"))
    assert words in re.sub(r'"\s*\n\s*f?"', "", code)
    quoted = (ROOT / "docs/your-data.md").read_text(encoding="utf-8").replace("\n> ", " ")
    assert words in quoted


@pytest.mark.parametrize(
    "guide", ["getting-started", "your-atac-data", "populations", "links", "neurons"]
)
def test_result_files_of_the_guides_are_among_the_outputs(guide):
    outputs = (ROOT / "docs/outputs.md").read_text(encoding="utf-8")
    text = (ROOT / f"docs/{guide}.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = re.findall(r"`([\w./]+\.(?:tsv|h5ad|bed|meme|bedpe|html))`", "\n".join(rows) + text)
    assert named
    assert not [name for name in named if Path(name).name not in outputs]


def test_files_that_configs_download_are_in_the_table_of_sources():
    lines = (ROOT / "resources/sources.tsv").read_text(encoding="utf-8").splitlines()
    known = {"/".join(line.split("\t")[:2]) for line in lines}
    for path in (ROOT / "config").glob("*.yaml"):
        named = re.findall(r"download:([^\s,}]+)", path.read_text(encoding="utf-8"))
        assert not set(named) - known, path.name
