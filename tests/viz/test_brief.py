"""The note of one page: its numbers, its one page in both languages, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from io import BytesIO
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from seen import HtmlPage

from scenarios import InputError, load_scenario, run_ensemble, value
from scenarios import errors as scenario_errors
from scenarios.cli import main
from viz import LANGUAGES, write_brief
from viz.report.brief import FUNDS, NUMBERS, Brief
from viz.report.printing import SIZES, one_page
from viz.shared.ranges import Ranged, ranged
from viz.words.language import Words

NAMES = ("baseline", "no-policy", "clusters-300")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("brief") / "results"
    return run_ensemble(
        [load_scenario(name) for name in NAMES], out=out, replicates=3, scale=0.002, until=2024, workers=1
    )


@pytest.fixture(scope="module")
def brief(results):
    """Today's policy against none."""
    return Brief(results, baseline="no-policy", scenario="baseline")


def printed(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


def differences(results, column):
    """What the baseline adds to no policy at the end, in each pair, straight from the table."""
    last = results.national[results.national["quarter"] == results.national["quarter"].max()]
    by_run = last.pivot(index="replicate", columns="scenario", values=column)
    return (by_run["baseline"] - by_run["no-policy"]).to_numpy()


# --- numbers


def test_a_number_of_several_runs_is_told_with_the_digits_of_its_range():
    runs = pd.Series([0.2e6, 0.9e6, 1.3e6, 1.2e6])
    found = ranged(runs, "yuan")
    assert (found.value, found.low, found.high) == pytest.approx((0.9e6, 0.41e6, 1.27e6))
    assert found.clear
    assert not Ranged(value=1.0, low=-1.0, high=3.0, unit="yuan").clear
    assert found.text(Words("en")) == "+0.9 million"
    assert found.range(Words("en")) == "+0.41 million to +1.27 million"
    assert Ranged(value=-2750.0, low=-4600.0, high=-1500.0, unit="firms").text(Words("zh")) == "−2,800"


def test_the_four_numbers_are_those_of_the_pairs(results, brief):
    for column in NUMBERS[:3]:
        pairs, found = differences(results, column), brief.numbers[column]
        assert found.value == pytest.approx(pairs.mean())
        assert (found.low, found.high) == pytest.approx(tuple(np.quantile(pairs, (0.1, 0.9))))
    paid = results.national.groupby(["scenario", "replicate"], observed=True)["public_cost_yuan"].sum()
    cost = (paid["baseline"] - paid["no-policy"]).mean()
    assert cost > 1e9
    assert brief.numbers[NUMBERS[3]].value == pytest.approx(cost, rel=0.02)


# --- the page


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request, brief):
    """A note with its language."""
    return request.param, brief.html(request.param)


def test_the_note_is_whole_and_loads_nothing(page):
    language, text = page
    found = HtmlPage(text)
    assert not found.open
    assert (found.charts, found.unnamed) == (1, 0)
    assert all(link.startswith("#") for link in found.links)  # markers of the figure
    assert list(found.texts)[1:] == ["numbers", "gains", "costs", "sure", "assumed"]
    assert not any(word in text for word in ("http:", "https:", "@import", "<script", "<link", "<img"))
    assert f'<html lang="{Words(language)("page.lang")}">' in text
    assert "nan" not in text.replace("finance", "")


def test_it_says_what_is_asked_who_gains_what_it_costs_how_sure_it_is_and_what_is_assumed(results, brief, page):
    language, text = page
    words, found = Words(language), HtmlPage(text).texts
    titles = {each["name"]: words.scenario(each) for each in results.manifest["scenarios"]}
    named = {"scenario": titles["baseline"], "baseline": titles["no-policy"]}
    first, last = words.quarter("2018Q4"), words.quarter("2024Q4")
    assert words("brief.question", **named, first=first, last=last) in found[""]
    for name in NUMBERS:
        assert words(f"brief.{name}") in found["numbers"]
        assert brief.numbers[name].text(words) in found["numbers"]
        assert brief.numbers[name].range(words) in found["numbers"]
    for place in ("fit.region_east", "fit.region_northeast", "gain.nation"):
        assert words(place) in found["gains"]
    rows = value(results, "no-policy").rows
    ratio = rows[
        (rows["scenario"] == "baseline") & (rows["quantity"] == "benefit_cost") & (rows["cost_of_funds"] == FUNDS)
    ].iloc[0]
    told = Ranged(value=ratio["value"], low=ratio["low"], high=ratio["high"], unit="ratio")
    assert told.text(words, signed=False) in found["costs"]
    assert told.range(words, signed=False) in found["costs"]
    assert words("brief.sure_luck", pairs="3") in found["sure"]
    pairs = differences(results, "srdi_smes")
    count = int((np.sign(pairs) == np.sign(pairs.mean())).sum())
    side = "more" if pairs.mean() > 0.0 else "less"
    assert words(f"brief.{side}", quantity=words("brief.srdi_smes"), count=str(count)) in found["sure"]
    assert words("brief.basis", label=words("label.assumed")) in found["assumed"]
    assert words("value.not_counted_2") in found["assumed"]


@pytest.fixture(scope="module", params=LANGUAGES)
def pdf(request, results, tmp_path_factory):
    """A printed note with its language."""
    path = tmp_path_factory.mktemp("pdf") / "note.pdf"
    write_brief(results, path, baseline="no-policy", scenario="baseline", language=request.param)
    return request.param, path.read_bytes()


def test_it_is_one_page_of_a4_with_its_fonts(pdf):
    language, content = pdf
    document = printed(content)
    assert len(document.pages) == 1
    width, height = (float(side) / 72.0 * 25.4 for side in document.pages[0].mediabox[2:])
    assert (width, height) == pytest.approx((210.0, 297.0), abs=0.5)
    fonts = document.pages[0]["/Resources"]["/Font"]
    descriptors = [font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts.values()]
    assert descriptors
    assert all({"/FontFile2", "/FontFile3"} & set(each) for each in descriptors)
    text = "".join(document.pages[0].extract_text().split())
    for key in ("brief.costs", "brief.sure", "brief.assumed_title", "section.gains"):
        assert "".join(Words(language)(key).split()) in text


@pytest.mark.skipif(
    not shutil.which("fc-list")
    or not subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False).stdout,
    reason="no Chinese font",
)
def test_chinese_is_printed_in_a_chinese_font(results, tmp_path):
    known = subprocess.run(["fc-list", ":lang=zh-cn", "postscriptname"], capture_output=True, text=True, check=True)
    chinese = {line.rpartition("=")[2].strip() for line in known.stdout.splitlines()}
    write_brief(results, tmp_path / "note.pdf", scenario="no-policy", language="zh")
    fonts = printed((tmp_path / "note.pdf").read_bytes()).pages[0]["/Resources"]["/Font"]
    used = {str(font.get_object()["/BaseFont"]).partition("+")[2] for font in fonts.values()}
    assert any(plain(name) in {plain(each) for each in chinese} for name in used), (used, chinese)


def plain(name: str) -> str:
    """A font's name without what its spellings differ in."""
    return name.lower().replace("-", "").replace(" ", "").removesuffix("regular").removesuffix("bold")


def test_the_same_results_give_the_same_bytes(results, pdf, tmp_path):
    language, content = pdf
    write_brief(results, tmp_path / "again.pdf", baseline="no-policy", scenario="baseline", language=language)
    assert (tmp_path / "again.pdf").read_bytes() == content


@pytest.fixture
def long_names(results, tmp_path):
    """The results with titles and descriptions that nobody should give."""
    folder = tmp_path / "long"
    shutil.copytree(results.path, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for scenario in manifest["scenarios"]:
        scenario["title"] = ("A policy of many words " * 40)[:200]
        scenario["title_zh"] = ("名称很长的政策" * 40)[:200]
        scenario["description"] = ("It does much. 内容很多。" * 200)[:2000]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_titles_do_not_make_a_second_page(long_names, language):
    done = CliRunner().invoke(
        main, ["brief", str(long_names), "--scenario", "clusters-300", "--language", language, "--json"]
    )
    assert done.exit_code == 0, done.output
    assert len(printed((long_names / f"brief-{language}.pdf").read_bytes()).pages) == 1


def test_what_does_not_fit_is_set_smaller_and_then_refused():
    def page(lines):
        return (
            "<style>@page { size: A4; margin: 0 } body { margin: 0 } p { line-height: 1; margin: 0 }</style>"
            + "<p>a</p>" * lines
        )

    # A4 is 842 points high.
    assert len(printed(one_page(page(int(842 / SIZES[0])))).pages) == 1
    assert len(printed(one_page(page(int(842 / SIZES[-1])))).pages) == 1
    with pytest.raises(InputError, match="does not fit on one page"):
        one_page(page(int(842 / SIZES[-1]) + 2))


def test_a_page_that_would_load_something_loads_nothing():
    assert b"/Image" not in one_page('<img src="file:///etc/passwd"><p>text</p>')


def test_one_run_has_no_ranges(results, tmp_path):
    scenarios = [load_scenario(name) for name in ("baseline", "clusters-300")]
    one = run_ensemble(scenarios, out=tmp_path / "r", replicates=1, scale=0.001, until=2020, workers=1)
    for language in LANGUAGES:
        words, text = Words(language), Brief(one).html(language)
        found = HtmlPage(text).texts
        assert words("brief.one_run") in found["numbers"]
        assert words("brief.sure_one") in found["sure"]
        assert words("brief.drawing_note_one") in text
        assert "nan" not in text.replace("finance", "")


# --- the command


def srdi(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_writes_a_page_and_ends_with_one_line_of_json(results, brief, tmp_path):
    path = tmp_path / "note.html"
    done = srdi("brief", results.path, *VERSUS, "--language", "zh", "--out", path, "--json")
    assert done.exit_code == 0, done.output
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["baseline"], last["scenario"], last["language"]) == ("no-policy", "baseline", "zh")
    assert (last["out"], last["bytes"]) == (str(path), path.stat().st_size)
    assert [row["quantity"] for row in last["numbers"]] == list(NUMBERS)
    assert {row["label"] for row in last["numbers"]} == {"assumed"}
    assert last["numbers"][0]["value"] == brief.numbers["srdi_smes"].value
    assert path.read_text(encoding="utf-8") == brief.html("zh")


VERSUS = ("--baseline", "no-policy", "--scenario", "baseline")


def test_bad_input_ends_with_two_and_one_sentence(results, tmp_path):
    calls = [
        (["brief", tmp_path / "none"], "is not a directory"),
        (["brief", results.path], "is missing: a note is about one scenario (allowed: no-policy, clusters-300)"),
        (["brief", results.path, "--scenario", "no-polcy"], "did you mean 'no-policy'"),
        (["brief", results.path, "--scenario", "baseline"], "(allowed beside the baseline: no-policy, clusters-300)"),
        (["brief", results.path, "--baseline", "base-line"], "did you mean 'baseline'"),
        (["brief", results.path, *VERSUS, "--language", "fr"], "'fr' is not one of 'en', 'zh'"),
        (["brief", results.path, *VERSUS, "--format", "docx"], "'docx' is not one of 'pdf', 'html'"),
        (["brief", results.path, *VERSUS, "--out", results.path / "national.parquet"], "does not end in .pdf or .html"),
        (["brief", results.path, *VERSUS, "--out", tmp_path / "a.pdf", "--format", "html"], "it must end in .html"),
        (["brief", results.path, *VERSUS, "--out", tmp_path / "none" / "a.html"], "cannot be written"),
    ]
    for arguments, sentence in calls:
        done = srdi(*arguments)
        assert done.exit_code == 2, done.output
        assert sentence in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_single_scenario_has_nothing_to_be_compared_with(tmp_path):
    one = run_ensemble(
        [load_scenario("baseline")], out=tmp_path / "r", replicates=1, scale=0.001, until=2019, workers=1
    )
    with pytest.raises(InputError, match="has the scenario baseline alone; a note compares two"):
        write_brief(one, tmp_path / "note.html")


def test_without_weasyprint_the_extra_is_named_and_html_is_written(results, tmp_path, monkeypatch):
    found = scenario_errors.find_spec
    monkeypatch.setattr(scenario_errors, "find_spec", lambda name: None if name == "weasyprint" else found(name))
    done = srdi("brief", results.path, *VERSUS, "--out", tmp_path / "note.pdf")
    assert (done.exit_code, len(done.stderr.strip().splitlines())) == (2, 1)
    assert "needs the extra 'pdf' (weasyprint cannot be found)" in done.stderr
    assert not (tmp_path / "note.pdf").exists()
    assert srdi("brief", results.path, *VERSUS, "--out", tmp_path / "note.html").exit_code == 0


def test_without_its_libraries_they_are_named(results, tmp_path, monkeypatch):
    class Broken(ModuleType):
        def __getattr__(self, name):
            raise OSError("cannot load library 'libpango-1.0-0'\nand much more")

    broken = Broken("weasyprint")
    broken.__spec__ = object()
    monkeypatch.setitem(sys.modules, "weasyprint", broken)
    done = srdi("brief", results.path, *VERSUS, "--out", tmp_path / "note.pdf")
    assert (done.exit_code, len(done.stderr.strip().splitlines())) == (2, 1)
    assert "cannot load library 'libpango-1.0-0'" in done.stderr
    assert "libpangoft2-1.0-0" in done.stderr
    assert "--format html" in done.stderr
