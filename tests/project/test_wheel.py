"""What a stranger installs: the wheel in an empty environment, used from an empty folder outside any checkout.

An editable install shows none of the faults looked for here: a package or a data file that was left out, an extra that
is needed without a word. CI runs this file by itself.
"""

import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGES = ("benchmarks", "calibration", "scenarios", "sim", "srdi", "viz")
TINY = ("--scale", "0.0005", "--until", "2021", "--replicates", "2")
#: Commands that need an extra, and which.
WANTING = {
    "facts": "calibration",
    "calibrate": "calibration",
    "validate": "calibration",
    "ui": "ui",
    "run baseline --scheduler tcp://127.0.0.1:9": "cluster",
}


def plain_environment(home: Path) -> dict[str, str]:
    """The environment of a new user: nothing of this checkout, of its environment or of a measurement of coverage."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "PYTHON", "VIRTUAL"))}
    return kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}


def uv(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "uv", *words], check=True)


class Installed:
    """An environment with the wheel in it, and an empty folder to work in."""

    def __init__(self, wheel: Path, folder: Path, extras: str = ""):
        self.programs = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
        self.folder = folder / "empty"
        self.folder.mkdir(parents=True)
        uv("venv", "--quiet", "--python", sys.executable, self.programs.parent)
        wanted = ("--constraint", ROOT / "constraints.txt", f"srdi{extras} @ {wheel.as_uri()}")
        uv("pip", "install", "--quiet", "--python", self.programs / "python", *wanted)
        self.how = {"cwd": self.folder, "env": plain_environment(folder), "encoding": "utf-8"}

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.programs / program, *words], capture_output=True, **self.how)

    def srdi(self, *words: str) -> str:
        """What a command that must succeed prints."""
        done = self.run("srdi", *words)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from the source distribution, which is built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--out-dir", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def plain(wheel, tmp_path_factory):
    return Installed(wheel, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def whole(wheel, tmp_path_factory):
    return Installed(wheel, tmp_path_factory.mktemp("whole"), "[calibration,ui]")


@pytest.fixture(scope="module")
def results(plain):
    """A results directory made by the installed command."""
    plain.srdi("run", "baseline", "no-policy", *TINY, "--out", "results")
    return "results"


def test_the_wheel_holds_every_file_of_every_package(wheel):
    listed = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(tracked.stdout.split()) <= listed
    assert {name.split("/")[0] for name in listed if ".dist-info" not in name} == set(PACKAGES)


def test_the_catalogue_and_the_version(plain):
    assert "baseline" in plain.srdi("list")
    assert plain.srdi("--version").strip() == f"srdi, version {version('srdi')}"


def test_results_are_made_compared_reported_and_exported(plain, results):
    assert "no-policy" in plain.srdi("compare", results)
    assert plain.srdi("report", results, "--language", "zh").strip().endswith("report-zh.html")
    assert plain.srdi("brief", results, "--format", "html").strip().endswith("brief-en.html")
    for form in ("csv", "xlsx", "dta", "parquet", "nc"):
        plain.srdi("export", results, "--format", form)


@pytest.mark.parametrize("package", ["sim", "srdi"])
def test_the_model_is_imported(plain, package):
    line = (
        f"from {package} import SRDIModel; m = SRDIModel(scale=0.0005, until=2019, rng=1); m.run_model(); print(m.end)"
    )
    done = plain.run("python", "-c", line)
    assert (done.returncode, done.stdout.strip()) == (0, "2019Q4"), done.stderr


def test_the_public_names(plain, results):
    done = plain.run(
        "python",
        "-c",
        "from srdi import SRDIModel, __version__, compare, load_results, load_scenario, run_ensemble\n"
        f"print(load_scenario('baseline').name, len(compare(load_results({results!r})).rows) > 0)",
    )
    assert (done.returncode, done.stdout.strip()) == (0, "baseline True"), done.stderr


def test_a_file_that_hides_a_package_is_named(plain):
    folder = plain.folder / "hiding"
    folder.mkdir()
    (folder / "sim.py").write_text("", encoding="utf-8")
    (folder / "script.py").write_text("from srdi import SRDIModel\n", encoding="utf-8")
    done = plain.run("python", "hiding/script.py")
    assert done.stderr.strip().splitlines()[-1].startswith("ImportError: SRDI's package 'sim' is hidden by ")
    assert done.stderr.strip().endswith("sim.py; give that file another name")


@pytest.mark.parametrize(("command", "extra"), WANTING.items())
def test_without_its_extra_a_command_says_which(plain, command, extra):
    done = plain.run("srdi", *command.split())
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert f"needs the extra {extra!r}" in done.stderr


def test_without_its_extra_a_brief_is_not_printed(plain, results):
    done = plain.run("srdi", "brief", results)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "needs the extra 'pdf'" in done.stderr


def test_the_packaged_posterior_is_validated(whole):
    words = ("validate", "--draws", "20", "--scale", "0.0005", "--json", "--out", "validation")
    found = json.loads(whole.srdi(*words).splitlines()[-1])
    # At so small a scale some figures do not come out at all.
    simulated = [row for row in found["targets"] if row["median"] is not None]
    assert len(simulated) > len(found["targets"]) / 2
    assert all(row["p05"] <= row["median"] <= row["p95"] for row in simulated)


def test_the_page_answers(whole):
    words = ("ui", "--port", "0", "--json", "--no-open", "--scale", "0.0005", "--members", "2")
    with subprocess.Popen([whole.programs / "srdi", *words], stdout=subprocess.PIPE, **whole.how) as server:
        try:
            address = json.loads(server.stdout.readline())["address"]
            with urlopen(address, timeout=60) as answer:
                assert (answer.status, "SRDI" in answer.read().decode()) == (200, True)
        finally:
            server.terminate()


def test_the_wheel_runs_without_being_installed(wheel, plain):
    words = ("tool", "run", "--quiet", "--python", sys.executable, "--from", wheel, "srdi", "run", "baseline", *TINY)
    done = subprocess.run([sys.executable, "-m", "uv", *words], capture_output=True, **plain.how)
    assert done.returncode == 0, done.stderr
    assert "Little giants" in done.stdout
