"""Files that a config names as downloads are fetched once, and shared."""

import copy
import functools
import hashlib
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

FILES = ("counts.h5ad", "genome.fa", "annotation.gtf")
COLUMNS = ["dataset", "file", "version", "url", "sha256", "size", "licence", "citation", "note"]


@pytest.fixture
def made(new_run, tiny_config):
    """Give a folder with counts, genome and annotation."""
    run = new_run(tiny_config, "made")
    run.snakemake("--cores", "1", "--until", "simulate_data")
    return run.results / "simulation"


@pytest.fixture
def server(made):
    handler = functools.partial(SimpleHTTPRequestHandler, directory=made)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def of_downloads(config, folder, name="fetched"):
    """Let a config take its files from downloads."""
    config = copy.deepcopy(config)
    del config["simulation"]
    counts, genome, annotation = (f"download:tiny/{file}" for file in FILES)
    config |= {
        "name": name,
        "downloads": {"folder": str(folder / "cache"), "sources": str(folder / "sources.tsv")},
        "counts": {"path": counts, "cell_type": "cell_type", "batch": "batch"},
        "genome": {"fasta": genome, "gtf": annotation},
    }
    return config


def write_sources(folder, urls, sums=None):
    rows = [COLUMNS] + [
        ["tiny", file, "1", url, (sums or {}).get(file, ""), "", "CC0", "", ""]
        for file, url in zip(FILES, urls, strict=True)
    ]
    (folder / "sources.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))


def test_files_are_fetched_once_for_all_data_sets(made, server, new_run, tiny_config, tmp_path):
    sums = {file: hashlib.sha256((made / file).read_bytes()).hexdigest() for file in FILES}
    urls = [f"http://127.0.0.1:{server.server_port}/{file}" for file in FILES]
    write_sources(tmp_path, urls, sums)
    run = new_run(of_downloads(tiny_config, tmp_path), "fetched")
    assert run.plan("--until", "check_inputs") == {"fetch_file": 3, "check_inputs": 1}
    run.snakemake("--cores", "2", "--until", "check_inputs")
    cache = tmp_path / "cache/tiny"
    assert sorted(path.name for path in cache.iterdir()) == sorted(FILES)
    assert (run.results / "preflight.tsv").exists()

    server.server_close()  # from here on there is no network
    other = new_run(of_downloads(tiny_config, tmp_path, "other"), "other")
    assert "fetch_file" not in other.plan("--forceall")
    other.snakemake("--cores", "1", "--until", "check_inputs")

    (cache / "genome.fa").unlink()
    assert other.plan("--until", "check_inputs") == {"fetch_file": 1, "check_inputs": 1}
    said = other.snakemake("--cores", "1", "--until", "check_inputs", fails=True)
    assert "genome.fa could not be fetched" in said and "network" in said
    assert "Traceback" not in said


def test_a_file_in_an_archive(made, server, new_run, tiny_config, tmp_path):
    with zipfile.ZipFile(made / "all.zip", "w") as archive:
        archive.write(made / "genome.fa", "in/genome.fa")
    at = f"http://127.0.0.1:{server.server_port}"
    write_sources(tmp_path, [f"{at}/counts.h5ad", "download:tiny/all.zip#in/genome.fa", f"{at}/x"])
    with (tmp_path / "sources.tsv").open("a") as table:
        table.write("\t".join(["tiny", "all.zip", "1", f"{at}/all.zip", *[""] * 5]) + "\n")
    run = new_run(of_downloads(tiny_config, tmp_path), "zipped")
    genome = tmp_path / "cache/tiny/genome.fa"
    assert run.plan(str(genome)) == {"fetch_file": 1, "unpack_file": 1}
    run.snakemake("--cores", "1", str(genome))
    assert genome.read_bytes() == (made / "genome.fa").read_bytes()


def test_a_wrong_checksum_stops_the_run(made, server, new_run, tiny_config, tmp_path):
    urls = [f"http://127.0.0.1:{server.server_port}/{file}" for file in FILES]
    write_sources(tmp_path, urls, {"genome.fa": "0" * 64})
    run = new_run(of_downloads(tiny_config, tmp_path), "wrong")
    said = run.snakemake("--cores", "1", str(tmp_path / "cache/tiny/genome.fa"), fails=True)
    assert "is not the file that was expected" in said
    (kept,) = (tmp_path / "cache/tiny").iterdir()
    assert kept.name.startswith("genome.fa.wrong-")


def test_a_path_in_place_of_a_url_is_used_as_it_is(made, new_run, tiny_config, tmp_path):
    write_sources(tmp_path, [str(made / file) for file in FILES])
    run = new_run(of_downloads(tiny_config, tmp_path), "local")
    assert run.plan("--until", "check_inputs") == {"check_inputs": 1}
    assert not (tmp_path / "cache").exists()


def test_all_that_is_wrong_with_files_is_told_at_once(new_run, tiny_config, tmp_path):
    write_sources(tmp_path, [str(tmp_path / "absent.h5ad"), "https://x/y", "https://x/z"])
    config = of_downloads(tiny_config, tmp_path)
    config["genome"] = {"fasta": "download:tiny/genome.fas"}
    config["gene_sets"] = {"gmt": "sets.gmt"}
    config["database"] = {"source": "motifs.meme"}
    said = new_run(config, "bad").snakemake("--dry-run", fails=True)
    assert "5 problems:" in said
    for words in (
        "key `genome.fasta`: download:tiny/genome.fas: no such file is known. Did you mean",
        "absent.h5ad: no such file",
        "key `genome.gtf` is missing",
        "sets.gmt: no such file",
        "motifs.meme: no such file",
    ):
        assert words in said
    assert "Traceback" not in said
