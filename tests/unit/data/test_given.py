import numpy as np
import pytest
from made_inputs import SHARED, real, write

from cisgrammar.common.errors import InputError
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.data.given import read_given, read_scover_table
from cisgrammar.genome.sequence import decode

FASTA = ">chr1_5_9_7 first\nACGT\n>chr2:10-14\nac\ngn\n>s3\nTTTT\n"
TABLE = "id\tliver\tbrain\ns3\t5\t6\nchr1_5_9_7\t1\t2\nchr2:10-14\t3\t4.5\n"
BED = (
    "# mine\nchr7\t1\t5\ts3\t0\t-\nchr8\t1\t5\tchr2:10-14\nchr9\t2\t6\tchr1_5_9_7\nchr9\t2\t6\tx\n"
)
LABELS = "target\tcell_type\tdepth\nbrain\tneuron\t2\nliver\thepatocyte\t1\nheart\tmuscle\t3\n"


def inputs(folder, fasta=FASTA, table=TABLE, regions=None, labels=None):
    paths = [write(folder / "s.fa.gz", fasta), write(folder / "t.tsv", table)]
    paths.append(regions and write(folder / "r.bed", regions))
    paths.append(labels and write(folder / "l.tsv", labels))
    return paths


def test_targets_follow_their_sequences(tmp_path):
    data = read_given(*inputs(tmp_path))
    assert data.var_names.tolist() == ["chr1_5_9_7", "chr2:10-14", "s3"]
    assert data.obs_names.tolist() == data.obs["cell_type"].tolist() == ["liver", "brain"]
    assert data.X.tolist() == [[1, 3, 5], [2, 4.5, 6]]
    assert data.X.dtype == np.float32
    assert [decode(codes) for codes in data.varm["codes"]] == ["ACGT", "ACGN", "TTTT"]
    places = data.var[["chrom", "start", "end", "strand"]].to_numpy().tolist()
    assert places == [["chr1", 5, 9, "."], ["chr2", 10, 14, "."], ["unknown", 0, 0, "."]]


@pytest.mark.parametrize("end", ["9" * 30, "4", "٣", "x"])
def test_places_that_cannot_be_are_named(tmp_path, end):
    bed = write(tmp_path / "places.bed", f"chr1\t4\t{end}\ts1\n")
    fasta, table = (
        write(tmp_path / "s.fa", ">s1\nACGT\n"),
        write(tmp_path / "t.tsv", "i\ta\ns1\t1\n"),
    )
    with pytest.raises(InputError, match="line 1 is not chromosome, start, end"):
        read_given(fasta, table, bed)


def test_a_name_with_a_number_without_end_tells_no_place(tmp_path):
    name = f"chr1:4-{'9' * 30}"
    fasta = write(tmp_path / "s.fa", f">{name}\nACGT\n")
    data = read_given(fasta, write(tmp_path / "t.tsv", f"i\ta\n{name}\t1\n"))
    assert data.var["chrom"].tolist() == ["unknown"]


def test_a_target_that_stands_twice_is_named(tmp_path):
    """And not numbered, as pandas does it."""
    fasta = write(tmp_path / "s.fa", ">s1\nACGT\n")
    with pytest.raises(InputError, match=r"1 columns have the name of another \(brain\)"):
        read_given(fasta, write(tmp_path / "t.tsv", "id\tbrain\tliver\tbrain\ns1\t1\t2\t3\n"))
    data = read_given(fasta, write(tmp_path / "t.tsv", "brain\tliver\ns1\t1\t2\n"))
    assert data.obs_names.tolist() == ["brain", "liver"]  # R leaves out the first name


def test_places_come_from_a_bed_and_labels_from_a_table(tmp_path):
    data = read_given(*inputs(tmp_path, regions=BED, labels=LABELS))
    assert data.var["chrom"].tolist() == ["chr9", "chr8", "chr7"]
    assert data.var["strand"].tolist() == [".", ".", "-"]
    assert data.obs["cell_type"].tolist() == ["hepatocyte", "neuron"]
    assert data.obs["depth"].tolist() == ["1", "2"]


def test_the_data_set_can_be_written(tmp_path):
    read_given(*inputs(tmp_path)).write_h5ad(tmp_path / "dataset.h5ad")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"fasta": "ACGT\n"}, "line 1 should be a name"),
        ({"fasta": "\n"}, "no sequence in it"),
        ({"fasta": ""}, "no sequence in it"),
        ({"fasta": FASTA + ">s3\nACGT\n"}, "1 sequence names occur more than once .s3"),
        ({"fasta": FASTA + ">s4\nACGTA\n"}, r"1 of 4 sequences are not 4 bases.*s4 \(5\)"),
        ({"fasta": ">s3\n>s4\n"}, "no bases"),
        ({"fasta": ">s3\nACUG\n"}, "sequence s3: 1 letters other than.*'U' at position 3"),
        ({"fasta": FASTA + ">s4\nACGT\n"}, r"1 of its 4 names are not in .*t.tsv \(s4\)"),
        ({"table": TABLE + "s4\t1\t2\n"}, r"1 of its 4 names are not in .*s.fa.gz \(s4\)"),
        ({"table": "id\tliver\nq1\t1\nq2\t2\n"}, "none of its 2 names"),
        ({"table": TABLE + "s3\t1\t2\n"}, "1 sequence names occur more than once"),
        ({"table": TABLE.replace("4.5", "high")}, "1 values are missing.*'high' of chr2:10-14"),
        ({"table": TABLE.replace("4.5", "")}, "1 values are missing"),
        ({"table": TABLE.replace("4.5", "inf")}, "1 values are missing"),
        ({"table": TABLE.replace("\t", ",")}, "separated by tabs"),
        ({"table": "id\tliver\n"}, "0 rows"),
        ({"regions": "chr1\t1\t5\ts3\n"}, "2 of the 3 sequences"),
        ({"regions": "chr1 1 5 s3\n"}, "line 1 is not chromosome"),
        ({"labels": LABELS.replace("brain", "brian")}, "1 of the 2 targets.*brain"),
        ({"labels": LABELS.replace("cell_type", "celltype")}, "Did you mean `celltype`"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        read_given(*inputs(tmp_path, **change))


def test_all_problems_are_said_at_once(tmp_path):
    with pytest.raises(InputError, match="2 problems"):
        read_given(*inputs(tmp_path, fasta=">s3\nACUG\n>s4\nACXG\n"))


def test_scover_tables_are_read(tmp_path):
    table = write(tmp_path / "t.tsv", "gene\tsequence\tind\nx\tacgt\t1,2\ny\tGGGG\t3,4\n")
    labels = write(tmp_path / "l.tsv", "cell_type1\nT cell_pool1\tT cell\nB cell_pool1\tB cell\n")
    data = read_scover_table(table, labels)
    assert data.X.tolist() == [[1, 3], [2, 4]]
    assert data.obs["cell_type"].tolist() == ["T cell", "B cell"]
    assert [decode(codes) for codes in data.varm["codes"]] == ["ACGT", "GGGG"]
    assert read_scover_table(table).obs_names.tolist() == ["target0", "target1"]


@pytest.mark.parametrize(
    "rows, message",
    [
        ("gene\tsequence\tind\nx\tacgt\t1,2\ny\tGGGG\t3\n", "1 to 2 values"),
        ("gene\tsequence\tind\nx\tacgt\t1,2,3\n", "3 to 3 values, for 2 targets"),
        ("gene\tsequence\nx\tacgt\n", "no column `ind`"),
        ("gene\tsequence\tind\nx\tacgt\t1,two\n", "not finite numbers, the first 'two' of x"),
    ],
)
def test_what_is_wrong_with_scover_tables_is_said(tmp_path, rows, message):
    labels = write(tmp_path / "l.tsv", "cell_type1\na\tT\nb\tB\n")
    with pytest.raises(InputError, match=message):
        read_scover_table(write(tmp_path / "t.tsv", rows), labels)


def test_real_accessible_sites_are_read():
    folder = SHARED / "dhs_k562_hepg2"
    fasta = real(folder / "sequences.fa.gz")
    data = read_given(fasta, folder / "targets.tsv.gz", folder / "regions.bed")
    assert data.shape == (2, 21657)
    assert (data.X.sum(axis=0) == 1).all()
    by_name = read_given(fasta, folder / "targets.tsv.gz")
    assert (by_name.var == data.var).all(axis=None)
    folds = split_folds(data.var, n_folds=5, validation=0.2, by="chromosome", seed=0)
    assert (folds.groupby("chrom")["fold0"].nunique() == 1).all()


def test_real_scover_data_are_read():
    folder = SHARED / "scover_small"
    data = read_scover_table(
        real(folder / "small_dataset.tsv"), folder / "small_dataset_colData.tsv"
    )
    assert data.shape == (244, 100)
    assert data.obs["cell_type"].nunique() == 43
    assert data.varm["codes"].shape == (100, 1000)
