"""The library installed as a package, from a wheel that is built of these files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import cisgrammar
from cisgrammar.genome.sequence import decode

ROOT = Path(__file__).parents[3]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
PARTS = ("src", "pyproject.toml", "README.md", "LICENSE")  # what a build reads


def call(*command: str | Path, **kwargs) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **kwargs)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build a wheel of a copy, for a build leaves files beside what it reads."""
    folder = tmp_path_factory.mktemp("built")
    copy = folder / "copy"
    copy.mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, copy / name, ignore=ignore)
        else:
            shutil.copy2(ROOT / name, copy / name)
    options = ["--no-deps", "--no-build-isolation", "--no-index"]
    call(*PIP, "wheel", *options, "--wheel-dir", folder, copy)
    (built,) = folder.glob("*.whl")
    return built


def test_a_wheel_has_every_file_of_the_library(wheel):
    files = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src/cisgrammar").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"cisgrammar/py.typed", "cisgrammar/models/kernels/__init__.py"} <= files
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if "dist-info" not in name}
    assert packed == files


def test_a_wheel_is_installed_and_imported_from_anywhere(wheel, tmp_path):
    target = tmp_path / "installed"
    call(*PIP, "install", "--no-deps", "--no-index", "--target", target, wheel)
    code = (
        "import cisgrammar, cisgrammar.genome.sequence\n"
        "from importlib.metadata import version\n"
        "print(cisgrammar.__version__, version('cisgrammar'), cisgrammar.__file__)"
    )
    said = call(sys.executable, "-c", code, cwd=tmp_path, env={"PYTHONPATH": str(target)})
    own = cisgrammar.__version__
    assert said.split() == [own, own, str(target / "cisgrammar/__init__.py")]


def test_the_command_of_a_wheel_works_on_results(wheel, finished, tmp_path):
    """In an environment of its own, whose only other packages are those that are here."""
    environment = tmp_path / "environment"
    call(sys.executable, "-m", "venv", "--without-pip", environment)
    (site,) = environment.glob("lib/python*/site-packages")
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "here.pth").write_text("\n".join(here))
    own = environment / "bin/python"
    call(*PIP, "--python", own, "install", "--ignore-installed", "--no-deps", "--no-index", wheel)
    command, model = environment / "bin/cisgrammar", finished.results / "scover"
    (name, letters), vcf, out = window_of(model), tmp_path / "mine.vcf", tmp_path / "out.tsv"
    (tmp_path / "one.fa").write_text(f">{name}\n{letters}\n")
    call(command, "predict", model, tmp_path / "one.fa", "--output", out, cwd=tmp_path, env={})
    assert out.read_text().splitlines()[1].startswith(name)
    vcf.write_text("#CHROM\tPOS\tID\tREF\tALT\nchr1\t1\tnowhere\tN\tA\n")
    asked = [command, "variants", model, vcf, "--output", out, "--random", "0"]
    said = call(*asked, "--annotated", tmp_path / "mine.vcf.gz", cwd=tmp_path, env={})
    assert "1 variants: in no window" in said
    assert "examples:" in call(command, "variants", "--help", cwd=tmp_path, env={})
    asked = [command, "attributions", model, "--names", name, "--by", "cell_type", "--label", "A"]
    asked += ["--method", "gradient", "--figures", "1", "--output", tmp_path / "bases"]
    assert "1 sequences, A" in call(*asked, cwd=tmp_path, env={})
    made = {path.name for path in (tmp_path / "bases").iterdir()}
    assert {"contributions.h5", "contributions.bw", "seqlets.bed", "figures"} <= made
    said = call(own, "-c", "import cisgrammar; print(cisgrammar.__file__)", cwd=tmp_path, env={})
    assert said.strip() == str(site / "cisgrammar/__init__.py")


def window_of(model: Path) -> tuple[str, str]:
    """Give the name and the letters of the first sequence of a model's data."""
    trained = cisgrammar.load(model)
    return trained.dataset.var_names[0], decode(trained.dataset.varm["codes"][0])
