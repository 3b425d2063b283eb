import gzip

import pytest
from made_inputs import write

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, nearest, open_text, require_file


@pytest.mark.parametrize(
    "names, text",
    [([], "none"), (["a"], "a"), ("abc", "a, b, c"), ("abcd", "a, b, c, ..."), ([1, 2], "1, 2")],
)
def test_examples(names, text):
    assert examples(names) == text


@pytest.mark.parametrize(
    "word, known, hint",
    [
        ("celltype", ["cell_type", "batch"], " Did you mean `cell_type`?"),
        ("CELL_TYPE", ["cell_type"], " Did you mean `cell_type`?"),
        ("donor", ["cell_type"], ""),
        ("x", [], ""),
    ],
)
def test_nearest(word, known, hint):
    assert nearest(word, known) == hint


def test_a_folder_is_no_file_unless_it_will_do(tmp_path):
    assert require_file(tmp_path, "counts.path", folder_too=True) == tmp_path
    with pytest.raises(InputError, match=r"is a folder, not a file.*`genome\.gtf`"):
        require_file(tmp_path, "genome.gtf")


def test_several_gzip_members_are_one_text(tmp_path):
    """Bgzip is many gzip blocks one after another."""
    path = write(tmp_path / "a.txt", gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    with open_text(path, "x") as stream:
        assert stream.read() == "one\ntwo\n"


@pytest.mark.parametrize(
    "start, kind", [(b"BZh9", "bzip2"), (b"PK\x03\x04", "zip"), (b"\xfd7zXZ", "xz")]
)
def test_other_compression_is_named(tmp_path, start, kind):
    path = write(tmp_path / "a.txt", start + b"rest")
    with pytest.raises(InputError, match=f"compressed with {kind}"), open_text(path, "x"):
        pass
