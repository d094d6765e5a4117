"""Paths that cannot be used are refused in one sentence, by modules that are run too; Python's words stand first."""

from __future__ import annotations

import os

import pytest
from click.testing import CliRunner

from benchmarks import ladder, page, screenshots
from calibration import adopt, confirm
from scenarios import InputError, load_results, load_scenario, run_ensemble
from scenarios.ensembles.lock import lock_directory
from scenarios.errors import printable


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        (adopt, ["{}"], "holds no results of srdi calibrate, srdi validate or srdi evidence"),
        (adopt, ["{}/none"], "holds no results of srdi calibrate, srdi validate or srdi evidence"),
        (
            adopt,
            ["{}/damaged"],
            "calibration.json is damaged, or was not written by srdi calibrate, srdi validate or srdi evidence",
        ),
        (confirm, ["{}"], "Got unexpected extra argument"),
        (ladder, ["{}", "{}/x.png"], "is not a results directory: it has no manifest.json"),
        (ladder, ["{}/none", "{}/x.png"], "does not exist"),
        (screenshots, ["{}/file"], "cannot be created: File exists"),
        (page, ["--out", "{}/none/x.json"], "none/x.json cannot be written"),
    ],
)
def test_a_module_that_is_run_with_a_wrong_directory_says_so(module, arguments, words, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "calibration.json").write_text("[]", encoding="utf-8")
    done = CliRunner().invoke(module.main, [argument.format(tmp_path) for argument in arguments])
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["a[1]*?", "it's #1 50%", "中文 é", "-dash", "~", "..", "a\\b", "$x"])
def test_a_directory_may_have_any_name_that_is_text(name, tmp_path):
    (tmp_path / "in").mkdir()
    with lock_directory(tmp_path / "in" / name):
        assert (tmp_path / "in" / name).is_dir()


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_a_name_that_is_no_text_is_refused_before_anything_runs(tmp_path):
    out = tmp_path / os.fsdecode(b"b\xff")
    for use in (load_results, lambda out: run_ensemble([load_scenario("baseline")], out=out)):
        with pytest.raises(InputError) as refused:
            use(out)
        assert printable(str(refused.value)).endswith(
            "b\\udcff is not UTF-8 text; choose another name for the directory"
        )
    assert not list(tmp_path.iterdir())


def test_from_python_a_directory_with_something_else_is_not_resumed(tmp_path):
    (tmp_path / "notes").mkdir()
    with pytest.raises(InputError, match=r"omit resume \(--resume\)"):
        run_ensemble([load_scenario("baseline")], out=tmp_path, resume=True)
