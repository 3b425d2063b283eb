"""The ninth column: repeated keys, escaped quotes, quotes that never close."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_inputs import write

from cisgrammar.common.errors import InputError
from cisgrammar.genome.gff import read_annotation

ROW = "chr1\tx\tgene\t1\t9\t.\t+\t.\t"


def genes(tmp_path, attributes):
    return read_annotation(write(tmp_path / "genes.gtf", f"{ROW}{attributes}\n")).genes.iloc[0]


@pytest.mark.parametrize(
    "attributes, gene_id, name",
    [
        ('gene_id "G1"; gene_name "A";', "G1", "A"),
        ("gene_id G1; gene_name A", "G1", "A"),
        ('gene_id "G1"; gene_id "G1"; gene_name "A"; gene_name "B";', "G1", "A"),
        (r'gene_id "G1"; note "say \"gene_id\" now"; gene_name "A\\B";', "G1", "A\\B"),
        ('gene_id "G1"; note "a; gene_name C"; gene_name "A";', "G1", "A"),
        ('gene_id "G1";gene_name "A b";', "G1", "A b"),
        ('gene_id "01"; gene_name "";', "01", "01"),
        ('; ; gene_id "G1" gene_name "A"', "G1", "A"),
        ("ID=gene:G1;Name=A%20b;Name=B", "G1", "A b"),
    ],
)
def test_attributes_by_hand(tmp_path, attributes, gene_id, name):
    gene = genes(tmp_path, attributes)
    assert (gene["gene_id"], gene["gene_name"]) == (gene_id, name)


@pytest.mark.parametrize(
    "attributes, words",
    [
        ('gene_id "G1"; gene_id "G2";', "two values of `gene_id`: G1 and G2"),
        ('gene_id "G1', "`gene_id` whose quote is never closed"),
    ],
)
def test_attributes_that_cannot_be_meant(tmp_path, attributes, words):
    with pytest.raises(InputError, match=f"line 1 .*({words})"):
        genes(tmp_path, attributes)


@pytest.mark.parametrize(
    "text", ['a "' + "b" * 300_000, "a" * 300_000, "a " * 150_000, '"' * 300_000, "\\" * 300_000,
             'a "' + '\\"' * 150_000, 'a"' * 150_000, "=" * 300_000]
)  # fmt: skip
def test_any_column_takes_time_by_its_length(tmp_path, text):
    start = time.monotonic()
    for attributes in (text, f'gene_id "G1"; {text}'):
        with contextlib.suppress(InputError):
            genes(tmp_path, attributes)
    assert time.monotonic() - start < 3


@given(st.text(st.sampled_from(list('ab\\"; ='))))
def test_a_quoted_value_is_given_back(tmp_path_factory, value):
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    gene = genes(tmp_path_factory.mktemp("gtf"), f'gene_id "G1"; gene_name "{quoted}"; x "y";')
    assert gene["gene_name"] == (value or "G1")
