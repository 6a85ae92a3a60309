"""The report as people see it: on a desk, on a phone, in the dark, on paper, and with a screen reader."""

import json
import shutil
import subprocess

import pytest

from kafka_proof.report import page as render
from tests.report import browser
from tests.report.pictures import SAMPLE

pytestmark = pytest.mark.skipif(not browser.PROGRAM, reason=f"none of {', '.join(browser.NAMES)} is installed")

PHONE, DESK = 390, 1200
PAPER = 680  # A4 less its margins, at the 96 pixels per inch that browsers count with
VERDICTS = ("passed", "failed", "unusable")
EVIL = "<script>document.title='taken'</script><img src=http://localhost:9/x onerror=document.title='taken'>"
LONG = "smoke-" + "0123456789abcdef" * 12


@pytest.fixture(scope="module")
def page():
    with browser.chromium() as page:
        yield page


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One page for each verdict, from the sample: dict[verdict, path]."""
    directory, files = tmp_path_factory.mktemp("report"), {}
    for verdict in VERDICTS:
        files[verdict] = directory / f"{verdict}.html"
        files[verdict].write_text(render.html(sample(verdict)), encoding="utf-8")
    return files


def sample(verdict):
    """Return the sample run, or what would be left of it if two properties did not hold, or no cluster had answered."""
    run = json.loads(SAMPLE.read_text())
    wide = {"columns": ["topic", *range(12)], "rows": [[LONG, *range(10_000, 10_012)]]}
    lines = {f"partition {number}": [[x / 10, (x * number) % 37] for x in range(60)] for number in range(7)}
    if verdict == "failed":
        first, second, third, *_ = run["tests"]
        first |= {"outcome": "failed", "message": f"{LONG} is missing\nassert 0 == 2", "details": "E   assert\n" * 30}
        second |= {"outcome": "error", "message": EVIL, "evidence": [["wide", wide], ["lag", {"series": lines}]]}
        third |= {"outcome": "skipped", "message": f"topics may not be made here: {LONG}"}
    if verdict == "unusable":
        run |= {"reason": f"{LONG}:9092: no Kafka answered within 5 s. Start the broker.", "cluster": {}}
        for test in run["tests"]:
            test |= {"outcome": "not run", "seconds": 0.0, "evidence": []}
    run["verdict"] = render.judge(run["tests"], run["reason"])
    assert run["verdict"] == verdict
    return run


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("width", [320, PHONE, DESK])
def test_nothing_is_wider_than_the_screen(page, files, verdict, width):
    page.open(files[verdict], width=width)
    assert page.ask("document.documentElement.scrollWidth") <= width


def test_a_wide_table_scrolls_inside(page, files):
    page.open(files["failed"], width=PHONE)
    # The keyboard reaches it, and it is known by name.
    assert (
        page.ask(
            """[...document.querySelectorAll('.scroll')].filter(it => it.scrollWidth > it.clientWidth)
           .map(it => [it.tabIndex, it.getAttribute('aria-label'), getComputedStyle(it).overflowX])"""
        ).count([0, "wide", "auto"])
        == 1
    )


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_verdict_is_what_one_sees_first(page, files, verdict, width):
    page.open(files[verdict], width=width, height=700)
    sizes = page.ask("[...document.querySelectorAll('body *')].map(it => parseFloat(getComputedStyle(it).fontSize))")
    heading, bottom = page.ask(
        """(it => [parseFloat(getComputedStyle(it).fontSize), it.getBoundingClientRect().bottom])
           (document.querySelector('h1'))"""
    )
    assert heading == max(sizes)
    assert bottom < 200


@pytest.mark.parametrize("verdict", VERDICTS)
def test_nothing_is_loaded_and_no_script_runs(page, files, verdict):
    page.open(files[verdict])
    requests = [
        event["params"]["request"]["url"] for event in page.seen if event["method"] == "Network.requestWillBeSent"
    ]
    assert requests == [files[verdict].as_uri()]
    complaints = [event for event in page.seen if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]
    assert complaints == []
    assert page.ask("[document.scripts.length, document.images.length]") == [0, 0]
    assert "taken" not in page.ask("document.title")


def test_what_looks_like_markup_is_shown_as_text(page, files):
    page.open(files["failed"])
    assert EVIL in page.ask("document.body.innerText")


# WCAG 2: relative luminance and contrast, of each text with what is behind it
CONTRAST = """
(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number)
  const linear = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b)
  const behind = it => { for (; it; it = it.parentElement) {
    const color = rgb(getComputedStyle(it).backgroundColor)
    if (color.length == 3 || color[3]) return color } return [255, 255, 255] }
  const found = {}
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let text; text = texts.nextNode();) {
    if (!text.data.trim()) continue
    const it = text.parentElement, style = getComputedStyle(it)
    const [a, b] = [light(rgb(it.closest('svg') ? style.fill : style.color)), light(behind(it))].sort((x, y) => y - x)
    const ratio = (a + .05) / (b + .05)
    if (ratio < 4.5) found[it.tagName + '.' + it.className + ' ' + text.data.slice(0, 20)] = ratio
  }
  return found
})()
"""


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize(("media", "scheme"), [("", "light"), ("", "dark"), ("print", "light"), ("print", "dark")])
def test_text_can_be_read(page, files, verdict, media, scheme):
    page.open(files[verdict], media=media, scheme=scheme)
    assert page.ask(CONTRAST) == {}
    if scheme == "dark":
        background = page.ask("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(255, 255, 255)") == (media == "print")  # ink is not for backgrounds


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("verdict", ["passed", "failed"])
def test_labels_of_plots_do_not_touch_and_are_not_cut(page, files, verdict, width):
    page.open(files[verdict], width=width)
    plots = page.ask(
        """[...document.querySelectorAll('svg[role=img]')].map(svg => [svg, ...svg.querySelectorAll('text')]
           .map(it => it.getBoundingClientRect()).map(({left, right, top, bottom}) => [left, right, top, bottom]))"""
    )
    assert plots
    for whole, *labels in plots:
        for index, (left, right, top, bottom) in enumerate(labels):
            assert whole[0] <= left
            assert right <= whole[1]
            assert bottom <= whole[3] + 1
            assert bottom - top >= 9, "too small to read"
            for other in labels[:index]:
                assert right <= other[0] or other[1] <= left or bottom <= other[2] + 2 or other[3] - 2 <= top


@pytest.mark.parametrize("verdict", VERDICTS)
def test_pictures_and_tables_have_names(page, files, verdict):
    page.open(files[verdict])
    nodes = [node for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    nameless = [
        node["role"]["value"]
        for node in nodes
        if node["role"]["value"] in ("image", "img", "table", "region", "heading", "columnheader", "rowheader")
        and not node["name"]["value"]
    ]
    assert nameless == []


def test_on_paper_everything_is_open_and_nothing_is_cut(page, files):
    page.open(files["failed"], width=PAPER, media="print")
    assert page.ask("document.documentElement.scrollWidth") <= PAPER
    assert page.ask("[...document.querySelectorAll('details pre')].every(it => it.getBoundingClientRect().height > 0)")
    cut = "[...document.querySelectorAll('.scroll, pre')].filter(it => it.scrollWidth > it.clientWidth + 1).length"
    assert page.ask(cut) == 0
    assert page.ask(
        "[...document.querySelectorAll('tr, figure')].every(it => getComputedStyle(it).breakInside == 'avoid')"
    )


def test_it_prints(page, files, tmp_path):
    page.open(files["failed"])
    (tmp_path / "report.pdf").write_bytes(page.printed())
    if shutil.which("pdftotext"):
        text = subprocess.check_output(["pdftotext", "-layout", tmp_path / "report.pdf", "-"], text=True)
        assert "could not be tested" in text
        assert "pytest's account" in text
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
