"""Bad configs stop Snakemake before any job, in words, and leave nothing behind."""

import copy

import pytest


def changed(config, **sections):
    """Change keys of a config; None removes a section."""
    config = copy.deepcopy(config)
    for section, value in sections.items():
        if value is None:
            config.pop(section, None)
        elif isinstance(value, dict):
            config[section] = {**config.get(section, {}), **value}
        else:
            config[section] = value
    return config


@pytest.mark.parametrize(
    "sections, messages",
    [
        (
            {"pools": {"n_pool": 3}},
            ["key `pools.n_pool` is not known. Did you mean `pools.n_pools`?"],
        ),
        ({"seed": "one"}, ["key `seed` is 'one', but it should be a whole number"]),
        ({"folds": {"n_folds": 0}}, ["key `folds.n_folds` is 0", "at least 1"]),
        ({"scover": {"network": {"width": 161}}}, ["key `scover.network.width` is 161"]),
        ({"name": "a/b"}, ["key `name` is 'a/b'"]),
        ({"name": None}, ["key `name` is missing"]),
        (
            {"sed": 1, "folds": {"by": "gene"}, "tuning": {"trials": 0}},
            ["3 problems:", "Did you mean `seed`?", "`folds.by` is 'gene'", "`tuning.trials` is 0"],
        ),
        ({"simulation": None}, ["key `counts.path` is missing"]),
    ],
)
@pytest.mark.parametrize("options", [("--cores", "1"), ("--dry-run",)], ids=["run", "plan"])
def test_bad_config_stops_with_words_and_without_output(
    new_run, tiny_config, sections, messages, options
):
    run = new_run(changed(tiny_config, **sections))
    said = run.snakemake(*options, fails=True)
    assert "config.yaml" in said
    for message in messages:
        assert message in said
    assert "Traceback" not in said
    assert not (run.folder / "results").exists()
    assert not (run.folder / "logs").exists()


def test_a_missing_file_is_named_before_any_job(new_run, tiny_config, tmp_path):
    (tmp_path / "genes.gtf").write_text("a file")
    (tmp_path / "counts.h5ad").write_text("a file")
    config = changed(
        tiny_config,
        simulation=None,
        counts={"path": str(tmp_path / "counts.h5ad")},
        genome={"fasta": str(tmp_path / "absent.fa"), "gtf": str(tmp_path / "genes.gtf")},
    )
    run = new_run(config)
    said = run.snakemake("--cores", "1", fails=True)
    assert "absent.fa: no such file" in said
    assert "`genome.fasta`" in said
    assert "counts.h5ad" not in said
    assert "Traceback" not in said
    assert not (run.folder / "results").exists()


def test_a_config_that_is_no_yaml(new_run):
    run = new_run()
    (run.folder / "config.yaml").write_text("name: [tiny\n")
    said = run.snakemake("--cores", "1", fails=True)
    assert "config.yaml: line 2, column 1: this is not YAML (expected ',' or ']'" in said
    assert "Traceback" not in said
    assert not (run.folder / "results").exists()


def test_an_empty_section_is_explained(new_run):
    run = new_run()
    (run.folder / "config.yaml").write_text("name: tiny\nsimulation: {}\npools:\n  # n_pools: 5\n")
    said = run.snakemake("--cores", "1", fails=True)
    assert "key `pools` is empty, but it should be a section of keys" in said


def test_keys_on_the_command_line_are_checked_too(new_run):
    said = new_run().snakemake("--dry-run", "--config", "sede=2", fails=True)
    assert "Did you mean `seed`?" in said


@pytest.mark.parametrize("target", ["check", "results/tiny/scover/motifs.meme"])
def test_a_target_after_the_config_is_explained(new_run, target):
    said = new_run().snakemake(target, "--cores", "1", fails=True)
    assert f"{target}: no such file. Snakemake takes every word after --configfile" in said
    assert "Traceback" not in said


MAKE = "open('RAN', 'w')"  # what no config may do


@pytest.mark.parametrize(
    "text, words",
    [
        ("name: Müller".encode("latin-1"), "a config is text in UTF-8."),
        (f"__use_yte__: true\n__definitions__: [\"{MAKE}\"]\nname: x\n", "no code."),
        (f'{{"__use_yte__": true, "name": "x", "?{MAKE}": 1}}', "no code."),
        (f'"\\x5f_use_yte__": true\nname: "?{MAKE}"\n', "no code."),
        (f"name: !!python/object/apply:eval [\"{MAKE}\"]\n", "line 1: a config holds plain"),
        ("name: x\nseed: " + "9" * 5000, "cannot be"),
        ("name: 2020-13-45", "cannot be"),
        ("name: " + "[" * 5000 + "]" * 5000, "too deep"),
        ("name: [x", "line 1, column 9: this is not YAML"),
        ("name: \x01", "this is not YAML (unacceptable character #x0001"),
    ],
    ids=[
        "Latin-1", "code", "code in JSON", "code in disguise", "tag", "digits", "date", "deep",
        "no YAML", "no text",
    ],
)  # fmt: skip
def test_a_config_that_snakemake_should_not_open_is_refused(new_run, text, words):
    run = new_run()
    text = text if isinstance(text, bytes) else text.encode()
    text = text.replace(b"RAN", str(run.folder / "ran").encode())
    (run.folder / "config.yaml").write_bytes(text)
    said = run.snakemake("--cores", "1", fails=True)
    assert words in said
    assert "Traceback" not in said
    assert not (run.folder / "ran").exists()
