import gzip
import re
from pathlib import Path

import pytest
from made_inputs import write

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.downloads.sources import COLUMNS, find_source, read_sources, resolve

ROOT = Path(__file__).parents[3]
HEADER = "\t".join(COLUMNS)


def row(**changes):
    cells = dict.fromkeys(COLUMNS, "") | {"dataset": "a", "file": "b.gz", "url": "https://x/y"}
    return "\t".join((cells | changes).values())


def table(folder, *rows):
    return write(folder / "sources.tsv", "\n".join([HEADER, *rows]) + "\n")


def test_a_table_of_sources(tmp_path):
    path = table(
        tmp_path, row(size="12", sha256="0" * 64), "", "# a remark", row(file="c", url="c/d.h5")
    )
    sources = read_sources(path)
    assert list(sources) == ["a/b.gz", "a/c"]
    assert sources["a/b.gz"].size == 12
    assert sources["a/b.gz"].place("cache").as_posix() == "cache/a/b.gz"
    assert sources["a/c"].place("cache").as_posix() == "c/d.h5"


@pytest.mark.parametrize(
    "rows, words",
    [
        ([row(dataset="..")], r"line 2: dataset is '\.\.', but it should be a name"),
        ([row(file="../b")], r"file is '\.\./b', but it should be a file's name without folders"),
        ([row(url="")], "url is '', but"),
        ([row(url="ftp://x/y")], "url is 'ftp://x/y', but it should be http"),
        ([row(sha256="12")], "sha256 is '12', but"),
        ([row(size="12 MB")], "size is '12 MB', but"),
        ([row(), row()], "line 3: a/b.gz comes a second time"),
        ([row(url="download:a/zip#m")], "b.gz is in a/zip, which is not an archive of the table"),
        ([row(url="download:a/zip")], "url is 'download:a/zip', but"),
        (["a\tb"], "line 2: there are 2 cells, not 9"),
        ([row(url=""), "a"], "2 problems"),
    ],
)
def test_bad_tables_of_sources_are_named(tmp_path, rows, words):
    with pytest.raises(InputError, match=words):
        read_sources(table(tmp_path, *rows))


def test_another_table_is_no_table_of_sources(tmp_path):
    with pytest.raises(InputError, match=r"header .* here it is gene, c0\. Correct"):
        read_sources(write(tmp_path / "sources.tsv", "gene\tc0\nA\t1\n"))


def test_a_config_refers_to_downloads_anywhere(tmp_path):
    sources = read_sources(table(tmp_path, row(), row(file="c", url="c/d.h5")))
    config = {
        "counts": {"path": [{"path": "download:a/b.gz", "batch": 1}, "mine.h5"]},
        "genome": {"fasta": "download:a/c", "gtf": None},
    }
    problems = Problems()
    resolved, needed = resolve(config, sources, "cache", problems)
    assert resolved == {
        "counts": {"path": [{"path": "cache/a/b.gz", "batch": 1}, "mine.h5"]},
        "genome": {"fasta": "c/d.h5", "gtf": None},
    }
    assert {path: source.name for path, source in needed.items()} == {
        "cache/a/b.gz": "a/b.gz",
        "c/d.h5": "a/c",
    }
    assert not problems.messages


def test_unknown_downloads_are_all_named_with_what_is_near(tmp_path):
    sources = read_sources(table(tmp_path, row()))
    problems = Problems()
    config = {"genome": {"fasta": "download:a/b.fz", "gtf": "download:other"}}
    resolve(config, sources, "cache", problems)
    first, second = problems.messages
    assert "key `genome.fasta`: download:a/b.fz" in first and "Did you mean `a/b.gz`?" in first
    assert "Known: a/b.gz." in first
    assert "key `genome.gtf`" in second and "Known: a/..." in second
    with pytest.raises(InputError):
        find_source("../../etc/passwd", sources)


def test_downloads_of_the_repository_are_in_its_table():
    sources = read_sources(ROOT / "resources/sources.tsv")
    for path in [*(ROOT / "config").glob("*.yaml"), ROOT / "config/README.md"]:
        for name in re.findall(r"download:([\w.+-]+/[\w.+-]+)", path.read_text(encoding="utf-8")):
            assert name in sources or name == "DATASET/FILE", (path.name, name)
    for source in sources.values():
        assert source.licence and source.citation, source.name
        assert source.sha256 or source.note, source.name


def test_a_row_may_be_a_member_of_another(tmp_path):
    rows = row(file="all.zip"), row(file="b.csv", url="download:a/all.zip#FACS/b c.csv")
    found = read_sources(table(tmp_path, *rows))["a/b.csv"]
    assert (found.archive, found.member) == ("a/all.zip", "FACS/b c.csv")
    assert not found.is_local
    assert found.place("cache").as_posix() == "cache/a/b.csv"
    assert read_sources(table(tmp_path, *rows))["a/all.zip"].member == ""


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", gzip.compress(b"")], ids=["mark", "gzip"])
def test_a_table_without_text_is_refused_in_words(tmp_path, content):
    (tmp_path / "sources.tsv").write_bytes(content)
    with pytest.raises(InputError, match="header of a table of sources"):
        read_sources(tmp_path / "sources.tsv")
