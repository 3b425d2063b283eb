"""A trained model that is read and asked."""

import numpy as np
import pandas as pd
import pytest
import torch
from made_trained import CODES, LENGTH, made_results, some_scover

import cisgrammar
from cisgrammar.common.errors import InputError
from cisgrammar.data.split import Inputs
from cisgrammar.genome.sequence import decode
from cisgrammar.models.scxpresso import Scxpresso
from cisgrammar.use.command import main

SEQUENCES = {f"s{i}": decode(CODES[i : i + LENGTH]) for i in range(5)}


def by_hand(fold):
    codes = np.stack([CODES[i : i + LENGTH] for i in range(5)])
    with torch.no_grad():
        return some_scover(fold)(Inputs(torch.from_numpy(codes))).numpy()


def test_predictions_are_the_mean_of_the_folds(tmp_path):
    predicted = cisgrammar.load(made_results(tmp_path)).predict(SEQUENCES)
    each = np.stack([by_hand(0), by_hand(1)])
    np.testing.assert_allclose(predicted.X, each.mean(axis=0).T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(predicted.layers["spread"], each.std(axis=0).T, rtol=1e-4, atol=1e-6)
    assert predicted.obs_names.tolist() == ["pool0", "pool1", "pool2", "pool3"]
    assert predicted.var_names.tolist() == list(SEQUENCES)


def test_predictions_are_averaged_by_label(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    alone, averaged = trained.predict(SEQUENCES), trained.predict(SEQUENCES, by="cell_type")
    assert averaged.obs_names.tolist() == ["01", "NA"]
    np.testing.assert_allclose(averaged.X[1], alone.X[2:].mean(axis=0), rtol=1e-5, atol=1e-6)


def test_sequences_of_no_gene_have_the_mean_of_what_genes_have(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    features = np.arange(12.0).reshape(6, 2)
    features[:3, 1] = np.nan
    trained.dataset.varm["features"] = features
    trained.models[0] = Scxpresso
    codes = np.stack([CODES[i : i + LENGTH] for i in range(5)])
    assert trained.inputs(0, codes)["features"].tolist() == [[5.0, 9.0]] * 5
    assert trained.inputs(0, codes[:2], np.array([5, 3]))["features"].tolist() == [[10, 11], [6, 7]]


def test_a_fasta_is_read_as_a_table_of_sequences_is(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    fasta = tmp_path / "s.fa"
    fasta.write_text("".join(f">{name}\n{text}\n" for name, text in SEQUENCES.items()))
    expected = trained.predict(pd.Series(SEQUENCES))
    np.testing.assert_array_equal(trained.predict(fasta).X, expected.X)


def test_each_sequence_is_tested_by_its_fold(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    assert trained.test_fold.tolist() == [0, 0, 0, 1, 1, -1]


@pytest.mark.parametrize(
    "ask, words",
    [
        (lambda t: t.predict({"s": "ACGT"}), "4 bases long, but scover was trained on 40"),
        (lambda t: t.predict({"s": "ACGT", "t": "AC"}), "2 lengths"),
        (lambda t: t.predict({"s": "ACGU" * 10}), "'U'"),
        (lambda t: t.predict(SEQUENCES, by="celltype"), "columns cell_type"),
    ],
)
def test_what_cannot_be_predicted_is_told(tmp_path, ask, words):
    with pytest.raises(InputError, match=words):
        ask(cisgrammar.load(made_results(tmp_path)))


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(InputError, match="such as results/demo/scover"):
        cisgrammar.load(tmp_path / "demo")
    with pytest.raises(InputError, match="no fold has a model"):
        cisgrammar.load(tmp_path / "demo/scover")


def test_the_command_writes_predictions_and_tells_problems_in_words(tmp_path, capsys):
    model, fasta, out = made_results(tmp_path), tmp_path / "s.fa", tmp_path / "out.tsv"
    fasta.write_text("".join(f">{name}\n{text}\n" for name, text in SEQUENCES.items()))
    asked = ["predict", str(model), str(fasta), "--by", "cell_type", "--output", str(out)]
    assert main(asked) == 0
    assert out.read_text().splitlines()[0] == "sequence\t01\tNA"
    assert main(["predict", str(tmp_path), str(fasta), "--output", str(out)]) == 1
    assert "the folder of a model is called" in capsys.readouterr().err
