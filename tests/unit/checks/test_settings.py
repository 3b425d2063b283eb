"""Settings of the checks: each key of the config is read once, and files may be still to come."""

import pytest
import yaml
from made_inputs import check_inputs, write_inputs

from cisgrammar.checks.config import complete_config
from cisgrammar.checks.settings import DECIDING, CountSettings, InputFiles, Settings
from cisgrammar.common.config import read_schema


@pytest.fixture
def schema(request):
    return read_schema(request.config.rootpath / "workflow/schemas/config.schema.yaml")


def settings_of(text, schema):
    """Read the settings off a config, as the workflow completes it."""
    given = {"name": "x", "counts": {"path": "a.h5ad"}} | yaml.safe_load(text)
    config = complete_config(given, schema)
    for section, files in (("counts", ("path", "cell_table")), ("genome", ("fasta", "gtf"))):
        config[section] = {k: v for k, v in config[section].items() if k not in files}
    config["counts"]["batches"] = None
    # no key may be read that does not make `snakemake check` look anew
    known = {*DECIDING, *config["models"], "counts", "genome"}
    return Settings.of_config({k: v for k, v in config.items() if k in known})


def test_defaults_are_those_of_the_config(schema):
    settings, plain = settings_of("{}", schema), Settings()
    for section in ("counts", "cells", "pools", "genome", "windows"):
        assert getattr(settings, section) == getattr(plain, section)
    assert settings.peaks is None and not settings.cell_models
    assert settings.database.source == "jaspar:CORE:vertebrates:2024"


def test_populations_have_windows_of_their_own(schema):
    text = """
    models: [scxpresso]
    counts: {path: a.h5ad, cell_type: kind}
    populations: {upstream: 70}
    """
    settings = settings_of(text, schema)
    assert settings.pools is None and settings.windows.upstream == 70


def test_scbasset_alone_learns_no_pools(schema):
    text = """
    models: [scbasset]
    peaks: {}
    cells: {clusters: 1.0}
    folds: {n_folds: 5, validation: 0.25}
    scbasset: {search: {batch_size: [64, 32]}, tf_activity: {motifs: [GATA1]}}
    """
    settings = settings_of(text, schema)
    assert settings.pools is None and settings.cells.clusters
    (model,) = settings.cell_models
    assert model.name == "scbasset" and model.trained == pytest.approx(0.75 * 0.8)
    assert model.start == "components"
    assert model.batch_size == 32 and model.motifs == ["GATA1"]
    named = text.replace("n_folds: 5", "n_folds: 1, test_chromosomes: [chr1]")
    assert settings_of(named, schema).cell_models[0].trained == pytest.approx(0.75)
    assert settings_of(text.replace("[scbasset]", "[scover, scbasset]"), schema).pools is not None


def test_a_file_is_a_batch_where_no_column_is_named():
    assert CountSettings().batch_column is None
    assert CountSettings(batches=["x", "y"]).batch_column == "batch"
    assert CountSettings(batches=["x", "y"], batch="donor").batch_column == "donor"


def test_peaks_are_in_the_files_of_counts_where_no_others_are_given():
    assert InputFiles(["a.h5", "b.h5"], "genome.fa", "work").of_peaks == ["a.h5", "b.h5"]
    files = InputFiles("a.h5", "genome.fa", "work", peak_counts="b.h5")
    assert files.of_counts == ["a.h5"] and files.of_peaks == ["b.h5"]


@pytest.mark.parametrize("key", ["source", "tf_names"])
def test_a_database_still_to_come_is_not_checked(tmp_path, key):
    database = {"source": "jaspar:CORE:vertebrates:2024", "tf_names": None}
    table = check_inputs(**write_inputs(tmp_path), database=database)
    assert "known motifs" in set(table["check"])
    absent = database | {key: str(tmp_path / "absent")}
    table = check_inputs(**write_inputs(tmp_path), database=absent)
    assert "known motifs" not in set(table["check"])
