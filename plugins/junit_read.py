"""Reads JUnit XML, in the dialects that test runners write.

There is no standard. The test cases count; the counts in attributes are held against them:

- pytest counts subtests that passed and have no case; a test that broke twice has two cases;
- Surefire and Gradle put ``flakyFailure`` into a case that passed when run again;
- jest-junit and go-junit-report make a case of a file that did not load or compile;
- gotestsum counts such errors at the top alone: no case shows them;
- PHPUnit nests suites and counts everything below; node's runner counts a suite as one test, writes
  what is to do as skipped *and* failed, and reports a file without any test as a test that passed;
- Mocha writes its failures as errors too, and counts no failed hook.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greenroom.plugins.xml_safe import read_xml
from greenroom.validators.errors import ToolError
from greenroom.validators.result import Location
from greenroom.validators.unit import CaseStatus, TestCase, TestRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.source_tree import SourceTree

_BAD = {"failure": CaseStatus.FAILED, "error": CaseStatus.ERROR}
_FLAKY = frozenset({"flakyFailure", "flakyError"})
_SKIPPED = frozenset({"skipped", "warning"})
_NOT_RUN = frozenset(
    (
        *("notrun", "not run", "disabled", "ignored", "skipped", "pending", "suppressed"),
        *("untested", "undefined", "inconclusive", "canceled", "cancelled"),
    )
)
_BROKEN = frozenset(
    (
        *("failed", "fail", "failure", "error", "errored", "broken", "aborted", "crashed"),
        *("killed", "interrupted", "timeout", "timedout", "timed out"),
    )
)
_SCRIPT = re.compile(r".*\.[cm]?[jt]s")
_PLACE = re.compile(r"""([^\s()"'<>:\[\]]{1,300}\.[A-Za-z]{1,5}):([0-9]{1,7})\b""")
_FOREIGN = re.compile(r"(^|/)(node_modules|vendor|site-packages)/")
_SEARCHED = 20_000
_PLACES_MOST = 50
_MESSAGE_MOST = 300


def read_junit(paths: Iterable[Path], tree: SourceTree, redactor: Redactor) -> TestRun:
    """Read the reports of one run; a file that cannot be read becomes a problem of the run."""
    cases: list[TestCase] = []
    problems: list[str] = []
    notes: list[str] = []
    for path in paths:
        reader = _Reader(path.name, tree, redactor, cases, problems, notes)
        try:
            reader.read(path)
        except ToolError as error:
            problems.append(str(error))
    return TestRun(tuple(cases), tuple(problems), tuple(notes))


@dataclass(slots=True)
class _Seen:
    """What stands below a suite; ``spare`` are cases that a runner may not have counted."""

    cases: int = 0
    direct: int = 0
    suites: int = 0
    bad: int = 0
    skipped: int = 0
    spare: int = 0
    direct_spare: int = 0
    names: set[tuple[str, str]] = field(default_factory=set)

    def add_suite(self, below: _Seen) -> None:
        self.suites += 1
        self.cases += below.cases
        self.bad += below.bad
        self.skipped += below.skipped
        self.spare += below.spare

    def add_case(self, element: Element, case: TestCase) -> None:
        name = (element.get("classname", ""), element.get("name", ""))
        spare = case.status is not CaseStatus.PASSED or name in self.names
        self.names.add(name)
        self.cases += 1
        self.direct += 1
        self.spare += spare
        self.direct_spare += spare
        self.bad += sum(child.tag in _BAD for child in element)
        self.skipped += case.status is CaseStatus.SKIPPED


@dataclass(frozen=True, slots=True)
class _Reader:
    file: str
    tree: SourceTree
    redactor: Redactor
    cases: list[TestCase]
    problems: list[str]
    notes: list[str]

    def read(self, path: Path) -> None:
        root = read_xml(path)
        if root.tag not in {"testsuites", "testsuite"}:
            raise ToolError(
                f"{self.file} is not a JUnit report: it starts with <{root.tag[:50]}>",
                hint="`junit:` names the runner's JUnit XML",
            )
        pytests = root.get("name") == "pytest tests"
        self._suite(root, (), pytests=pytests)

    def _suite(self, suite: Element, above: tuple[str, ...], *, pytests: bool) -> _Seen:
        seen = _Seen()
        name = suite.get("name", "")
        names = (*above, name) if name and suite.tag == "testsuite" else above
        for element in suite:
            match element.tag:
                case "testsuite":
                    seen.add_suite(self._suite(element, names, pytests=pytests))
                case "testcase" if not self._no_test(element, suite):
                    case = self._case(element, suite, names)
                    self.cases.append(case)
                    seen.add_case(element, case)
                case "failure" | "error":
                    self.cases.append(self._outside(element, names))
                    seen.bad += 1
            self._refuse_unread(element)
        self.problems.extend(
            f"{self.file}: {self._short(name) or suite.tag} {problem}"
            for problem in _contradictions(suite, seen, pytests=pytests)
        )
        return seen

    def _refuse_unread(self, element: Element) -> None:
        """Make a problem of test cases that stand where none are looked for."""
        if element.tag == "testsuite":
            return
        below = (one for one in element.iter("testcase") if one is not element)
        if next(below, None) is not None:
            self.problems.append(
                f"{self.file}: test cases inside <{element.tag[:50]}> are not read"
            )

    def _no_test(self, element: Element, suite: Element) -> bool:
        """Tell whether this is a file that node ran as a test because it holds none."""
        name = element.get("name", "")
        if suite.tag != "testsuites" or element.get("classname") != "test" or len(element):
            return False
        if not _SCRIPT.fullmatch(name) or self.tree.find(name) is None:
            return False
        self.notes.append(f"{self.tree.find(name)} ran and holds no test")
        return True

    def _case(self, element: Element, suite: Element, names: tuple[str, ...]) -> TestCase:
        status, why = _status(element)
        group = element.get("classname", "")
        if not group or group == "test":
            group = " > ".join(names)
        name = element.get("name", "")
        return TestCase(
            id=self._short(f"{group}.{name}" if group and name else group or name or self.file),
            status=status,
            message="" if why is None else self._message(why),
            location=self._location(element, suite, why) if status in _BAD.values() else None,
            flaky=any(child.tag in _FLAKY for child in element),
        )

    def _outside(self, element: Element, names: tuple[str, ...]) -> TestCase:
        return TestCase(
            id=self._short(" > ".join(names) or self.file),
            status=CaseStatus.ERROR,
            message=f"outside any test case: {self._message(element)}",
        )

    def _message(self, element: Element) -> str:
        text = element.get("message", "").strip() or (element.text or "").strip()
        return self._short(text.partition("\n")[0].strip() or element.get("type", ""))

    def _short(self, text: str) -> str:
        return self.redactor.excerpt(text, _MESSAGE_MOST)

    def _location(self, element: Element, suite: Element, why: Element | None) -> Location | None:
        text = "" if why is None else (why.text or "")[:_SEARCHED]
        for name, line in _PLACE.findall(text)[:_PLACES_MOST]:
            file = self.tree.find(name)
            if file is not None and not _FOREIGN.search(file):
                return Location(file, int(line))
        name = element.get("file") or suite.get("file") or suite.get("filepath") or ""
        file = self.tree.find(name) if name else None
        line = _number(element, "line") or 0
        return None if file is None else Location(file, line)


def _status(element: Element) -> tuple[CaseStatus, Element | None]:
    """Return what became of a case, and the element that says why."""
    to_do = any(child.tag == "skipped" and child.get("type") == "todo" for child in element)
    for child in element:
        if child.tag in _BAD and not to_do:
            return _BAD[child.tag], child
    for child in element:
        if child.tag in _SKIPPED:
            return CaseStatus.SKIPPED, child
    states = {element.get(name, "").strip().lower() for name in ("status", "result")}
    if states & _BROKEN:
        return CaseStatus.FAILED, None
    if states & _NOT_RUN:
        return CaseStatus.SKIPPED, None
    return CaseStatus.PASSED, None


def _contradictions(suite: Element, seen: _Seen, *, pytests: bool) -> Iterator[str]:
    """Yield each count of a suite that its cases contradict, whichever way its runner counts."""
    claimed = _number(suite, "tests")
    if claimed is not None and not pytests:
        most = max(seen.cases, seen.direct + seen.suites)
        least = seen.direct - seen.direct_spare
        if suite.tag == "testsuites" and not seen.direct:
            least = seen.cases - seen.spare
        if not least <= claimed <= most:
            yield f"counts {claimed:,} tests and holds {seen.cases:,} test cases"
    for name in ("failures", "errors"):
        if (_number(suite, name) or 0) > seen.bad:
            yield f"counts {_number(suite, name):,} {name} and shows {seen.bad:,}"
    skipped = (_number(suite, "skipped") or _number(suite, "skip") or 0) + (
        _number(suite, "disabled") or 0
    )
    if skipped > seen.skipped:
        yield f"counts {skipped:,} skipped tests and shows {seen.skipped:,}"


def _number(element: Element, name: str) -> int | None:
    text = element.get(name, "").strip()
    return int(text) if re.fullmatch(r"[0-9]{1,4000}", text) else None
