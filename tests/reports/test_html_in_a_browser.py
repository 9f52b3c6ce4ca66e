"""The HTML page in a real browser: it answers at once, and nothing in it runs or leaves."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from greenroom.reports import html
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.vocabulary import Gate, Kind, Outcome
from tests.support.records import AT, BYPASS, HOSTILE, check, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from greenroom.validators.record import Check, RunRecord

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = (1280, 800), (390, 844)


# One browser for this module: while it is open, its event loop is the thread's running one, which
# tests of other modules must not find.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        missing = "no chromium on PATH (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield chromium
        chromium.close()


@dataclass(slots=True)
class Opened:
    """A page in the browser, with what it logged and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Open the page of a record; at the end nothing must have been logged or asked for."""
    shown: list[Opened] = []
    file = tmp_path / "report.html"

    def opened(
        run: RunRecord, size: tuple[int, int] = DESKTOP, place: str = "", *, script: bool = True
    ) -> Opened:
        file.write_text(html.render(run), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, java_script_enabled=script
        )
        view = Opened(context.new_page())
        view.page.on("console", lambda message: view.said.append(message.text))
        view.page.on("pageerror", lambda error: view.said.append(str(error)))
        view.page.on("request", lambda request: view.requested.append(request.url))
        shown.append(view)
        view.page.goto(f"{file.as_uri()}{place}")
        return view

    yield opened
    for view in shown:
        view.page.context.close()
        assert view.said == []
        assert {url.partition("#")[0] for url in view.requested} == {file.as_uri()}


def mixed() -> RunRecord:
    """A run that must not ship, with every state and thirty checks."""
    return record(
        [
            *(check(f"passes {n}") for n in range(30)),
            check("skips", Outcome.INCONCLUSIVE, skipped="no docker", gate=Gate.WARN),
            check("warns", Outcome.FAILED, gate=Gate.WARN),
            check("fails", Outcome.FAILED, kind=Kind.CONTRACT),
        ]
    )


def load() -> Check:
    """A load check with a rule of each result, that only warns."""
    rules = (
        Rule("p95", "< 300ms", "292 ms", met=True),
        Rule("rps", ">= 50", "12", met=False),
        Rule("memory", "< 1MiB", "no samples", met=None),
    )
    finding = Finding.judged(rules, check().finding.evidence)
    return check("load", kind=Kind.LOAD, finding=finding, gate=Gate.WARN)


RUNS = {
    "SHIP": record([check()]),
    "DO NOT SHIP": mixed(),
    "COULD NOT DECIDE": record([check()], complete=False),
}


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("words", RUNS)
def test_the_first_screen_answers(
    show: Callable[..., Opened], words: str, size: tuple[int, int]
) -> None:
    page = show(RUNS[words], size).page
    expect(page.locator("h1")).to_have_text(words)
    for part in (page.locator("h1"), page.locator(".band .why"), page.locator(".facts")):
        box = part.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size[1]
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_without_javascript_everything_is_there(show: Callable[..., Opened]) -> None:
    page = show(mixed(), script=False).page
    expect(page.locator(".reasons a")).to_have_text(["contract: fails: status 500"])
    for part in ("#rules table", "#stages table", "#list li.failed .name"):
        expect(page.locator(part).first).to_be_visible()
    expect(page.locator("#filter")).to_be_hidden()
    page.locator("#list li.failed summary").click()
    expect(page.get_by_text("pytest tests/test_api.py::test_fails")).to_be_visible()


def test_hostile_content_does_nothing(show: Callable[..., Opened]) -> None:
    """Every hostile text, wherever a record has room for one."""
    runs = [
        check(
            text,
            Outcome.FAILED,
            id=f"id {text}",
            log=text,
            tags=(text,),
            exchanges=({"request": {"url": text, "body": text}, "response": {"body": text}},),
        )
        for text in HOSTILE
    ]
    deployment = {"status": HOSTILE[0], "events": [{"name": text} for text in HOSTILE]}
    run = record(
        runs,
        problems=HOSTILE,
        deployment=deployment,
        release={"revision": HOSTILE[1], **dict.fromkeys(HOSTILE, AT)},
        environment={"command": HOSTILE[2]},
    )
    page = show(run).page
    expect(page.locator("#list > li")).to_have_count(len(HOSTILE))
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true })")
    page.locator(".reasons a").first.click()
    assert page.title().startswith("DO NOT SHIP")
    assert page.locator("script").count() == 1


@pytest.mark.parametrize("script", [True, False], ids=["javascript", "no-javascript"])
def test_a_deep_link_opens_its_check(
    show: Callable[..., Opened],
    script: bool,  # noqa: FBT001 - a case
) -> None:
    page = show(mixed(), script=script).page
    page.locator(".reasons a").click()
    expect(page.locator("#list li.failed .detail")).to_be_in_viewport()
    place = page.url.partition("#")[2]
    again = show(mixed(), place=f"#{place}", script=script).page
    expect(again.locator("#list li.failed .detail")).to_be_in_viewport()


def test_the_list_filters_by_outcome_and_words(show: Callable[..., Opened]) -> None:
    page = show(mixed()).page
    visible = page.locator("#list > li:visible")
    expect(visible).to_have_count(33)
    page.get_by_role("button", name="Failed 1").click()
    expect(visible).to_have_count(1)
    page.get_by_role("button", name="All").click()
    page.keyboard.press("/")
    page.keyboard.type("PASSES 29")
    expect(visible).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("1 of 33")
    page.keyboard.type(" nonsense")
    expect(page.get_by_text("No check matches.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(visible).to_have_count(33)


def test_a_filter_can_be_sent_to_somebody(show: Callable[..., Opened]) -> None:
    page = show(mixed()).page
    page.get_by_role("button", name="Passed 30").click()
    page.get_by_role("searchbox").fill("passes 12")
    page.wait_for_url("**#outcome=passed&q=passes+12")
    again = show(mixed(), place=f"#{page.url.partition('#')[2]}").page
    expect(again.locator("#list > li:visible .name")).to_have_text(["passes 12"])
    expect(again.get_by_role("button", name="Passed 30")).to_have_attribute("aria-pressed", "true")


def test_a_link_to_a_filtered_check_shows_it(show: Callable[..., Opened]) -> None:
    page = show(mixed(), place="#outcome=passed").page
    expect(page.locator("#list > li.failed")).to_be_hidden()
    page.locator(".reasons a").click()
    expect(page.locator("#list li.failed .detail")).to_be_in_viewport()


CONTRAST = """() => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const image = getComputedStyle(node).backgroundImage.match(/rgb\\([^)]*\\)/g);
      if (image) return image.map(rgb);
      const color = rgb(getComputedStyle(node).backgroundColor);
      if (color.length === 3) return [color];
    }
    return [[255, 255, 255]];
  };
  const low = new Set();
  for (const node of document.body.querySelectorAll("*")) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
    if (!own || ["SCRIPT", "STYLE"].includes(node.tagName) || !node.offsetParent) continue;
    const style = getComputedStyle(node);
    const opacity = Number(style.opacity);
    for (const back of ground(node)) {
      const mixed = (c, i) => c * opacity + back[i] * (1 - opacity);
      const front = rgb(style.color).slice(0, 3).map(mixed);
      const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      if (ratio < 4.5) low.add(`${node.tagName}.${node.className}: ${ratio.toFixed(2)}`);
    }
  }
  return [...low];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("words", RUNS)
def test_text_stands_out_from_its_ground(
    show: Callable[..., Opened], words: str, scheme: str
) -> None:
    """WCAG's 4.5:1, for every text that is shown."""
    base = RUNS[words]
    deployment = {
        "status": "Failed",
        "error": {"code": "HOOK", "message": "failed"},
        "events": [{"name": "Install", "status": "Succeeded", "start_s": 0, "end_s": 1}],
        "requests": {"total": 1, "failed": 1, "replacement_before_gate": 0},
    }
    run = record([*base.checks, load()], complete=base.complete, deployment=deployment)
    page = show(run).page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true })")
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_bypass_is_seen_at_once_and_in_red(
    show: Callable[..., Opened], size: tuple[int, int]
) -> None:
    page = show(record(bypass=BYPASS), size).page
    box = page.locator("#bypass").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= size[1]
    band = "getComputedStyle(document.querySelector('.band')).getPropertyValue('--band')"
    assert page.evaluate(band) == "#9b1420"
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
