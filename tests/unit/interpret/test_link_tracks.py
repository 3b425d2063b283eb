import pandas as pd

from cisgrammar.interpret.link_tracks import write_bedpe, write_beds, write_interact

PROMOTERS = pd.DataFrame({"start": [900, 50], "end": [1000, 80]}, index=["p9", "p0"])
LINKS = pd.DataFrame(
    {
        "gene": ["G1", "G2", "G2"],
        "gene_name": ["one", "two", "two"],
        "peak": ["p1", "p1", "p2"],
        "chrom": "chr1",
        "start": [100, 100, 500],
        "end": [200, 200, 600],
        "promoter_peak": ["p9", "p0", "p0"],
        "link_score": [2.0, 1.0, 0.5],
        "sign": ["+", "-", ""],
        "best_cell_type": ["T cell", "T cell", "B"],
    }
)


def read(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_bedpe_has_peak_and_promoter(tmp_path):
    write_bedpe(LINKS, PROMOTERS, tmp_path / "links.bedpe")
    rows = read(tmp_path / "links.bedpe")
    assert [len(row) for row in rows] == [10, 10, 10]
    assert rows[0] == ["chr1", "100", "200", "chr1", "900", "1000", "one|p1", "1000", ".", "."]
    assert all(int(row[1]) < int(row[2]) and int(row[4]) < int(row[5]) for row in rows)
    again = pd.read_csv(tmp_path / "links.bedpe", sep="\t", header=None)
    assert again[7].tolist() == [1000, 500, 250]


def test_interact_has_the_columns_of_ucsc(tmp_path):
    write_interact(LINKS, PROMOTERS, tmp_path / "links.interact", "mine")
    header, *rows = (tmp_path / "links.interact").read_text().splitlines()
    assert header.startswith('track type=interact name="mine"')
    for row in rows:
        fields = row.split()  # as UCSC does, where names hold no blanks
        assert len(fields) == 18
        start, end, score = int(fields[1]), int(fields[2]), int(fields[4])
        assert 0 <= score <= 1000
        assert start == min(int(fields[9]), int(fields[14]))
        assert end == max(int(fields[10]), int(fields[15]))
        assert len(fields[7].split(",")) == 3
    assert rows[0].split()[6] == "T_cell"


def test_a_bed_for_each_cell_type_joins_genes_of_one_peak(tmp_path):
    paths = write_beds(LINKS, tmp_path)
    assert sorted(path.name for path in paths) == ["B.bed", "type1.bed"]
    assert read(tmp_path / "type1.bed") == [["chr1", "100", "200", "one,two", "1000", "."]]


def test_no_links_give_empty_tracks(tmp_path):
    none = LINKS.iloc[:0]
    write_bedpe(none, PROMOTERS, tmp_path / "links.bedpe")
    assert (tmp_path / "links.bedpe").read_text() == ""
    assert write_beds(none, tmp_path) == []
