"""Reads coverage reports: Cobertura, JaCoCo and Clover (XML), lcov (text)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from greenroom.plugins.xml_safe import parse_xml, read_bounded
from greenroom.validators.coverage import Coverage, FileCoverage
from greenroom.validators.errors import ToolError
from greenroom.validators.words import few

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from greenroom.plugins.source_tree import SourceTree

_CONDITIONS = re.compile(r".*\((\d+)/(\d+)\)")


class CoverageForm(StrEnum):
    """The formats of coverage reports; ``auto`` tells them apart by how they start."""

    AUTO = "auto"
    COBERTURA = "cobertura"
    JACOCO = "jacoco"
    CLOVER = "clover"
    LCOV = "lcov"


@dataclass(slots=True)
class _Lines:
    """What a report says of one file: whether each line ran, and of its branches how many.

    ``branches`` holds (all, taken) by whatever tells them apart.
    """

    name: str
    bases: tuple[str, ...] = ()
    ran: dict[int, bool] = field(default_factory=dict)
    branches: dict[object, tuple[int, int]] = field(default_factory=dict)

    def line(self, number: int, *, ran: bool) -> None:
        self.ran[number] = ran or self.ran.get(number, False)

    def branch(self, key: object, amount: int, taken: int) -> None:
        most, ran = self.branches.get(key, (0, 0))
        self.branches[key] = max(most, amount), max(ran, taken)

    def add(self, other: _Lines) -> None:
        for number, ran in other.ran.items():
            self.line(number, ran=ran)
        for key, (amount, taken) in other.branches.items():
            self.branch(key, amount, taken)

    def facts(self, file: str) -> FileCoverage:
        return FileCoverage(
            file=file,
            covered=frozenset(number for number, ran in self.ran.items() if ran),
            missed=frozenset(number for number, ran in self.ran.items() if not ran),
            branches=sum(amount for amount, _ in self.branches.values()),
            branches_covered=sum(taken for _, taken in self.branches.values()),
        )


def read_coverage(
    paths: Iterable[Path], tree: SourceTree, form: CoverageForm = CoverageForm.AUTO
) -> Coverage:
    """Read the reports of one run as one.

    Problems: one that cannot be read, no measurable line, files that are not in the tree.
    """
    parts: list[_Lines] = []
    problems: list[str] = []
    forms: list[str] = []
    for path in paths:
        try:
            found, lines = _read(path, form)
        except ToolError as error:
            problems.append(str(error))
            continue
        forms.append(found.value)
        parts += lines
        if not any(one.ran for one in lines):
            problems.append(f"{path.name} holds no measurable line")
    return _placed(parts, tree, "+".join(sorted(set(forms))) or form.value, problems)


def _placed(parts: list[_Lines], tree: SourceTree, form: str, problems: list[str]) -> Coverage:
    files: dict[str, _Lines] = {}
    absent, outside = set(), set()
    for part in parts:
        file = tree.find(part.name, part.bases) or tree.find_below(part.name)
        if file is not None:
            files.setdefault(file, _Lines(file)).add(part)
        elif tree.outside(part.name):
            outside.add(part.name)
        elif part.ran:
            absent.add(part.name)
    if absent:
        named = few(sorted(absent))
        problems.append(f"{len(absent):,} measured files are not in the tree: {named}")
    if outside and not files:
        problems.append("it measures only files outside the project")
    notes = (f"not counted, outside the project: {few(sorted(outside))}",) if outside else ()
    facts = tuple(lines.facts(file) for file, lines in sorted(files.items()))
    return Coverage(form, facts, tuple(problems), notes)


def _read(path: Path, form: CoverageForm) -> tuple[CoverageForm, list[_Lines]]:
    """Return the format of a report, and its files."""
    data = read_bounded(path)
    if form is CoverageForm.LCOV or (form is CoverageForm.AUTO and _is_lcov(data)):
        return CoverageForm.LCOV, list(_lcov(data, path.name))
    root = parse_xml(data, path.name, doctype=True)
    readers = {
        CoverageForm.COBERTURA: _cobertura,
        CoverageForm.JACOCO: _jacoco,
        CoverageForm.CLOVER: _clover,
    }
    found = _form_of(root)
    if found is None or form not in {CoverageForm.AUTO, found}:
        wanted = "a known coverage report" if form is CoverageForm.AUTO else f"{form.value} report"
        raise ToolError(
            f"{path.name} is no {wanted}: it starts with <{root.tag[:50]}>",
            hint=f"formats: {', '.join(one.value for one in CoverageForm)}",
        )
    try:
        return found, list(readers[found](root))
    except (ValueError, TypeError) as error:
        raise ToolError(f"{path.name}: a count is not a number: {error}") from error


def _is_lcov(data: bytes) -> bool:
    return data.lstrip()[:3] in {b"TN:", b"SF:"}


def _form_of(root: Element) -> CoverageForm | None:
    if root.tag == "report":
        return CoverageForm.JACOCO
    if root.tag != "coverage":
        return None
    return CoverageForm.COBERTURA if root.find("project") is None else CoverageForm.CLOVER


def _cobertura(root: Element) -> Iterator[_Lines]:
    bases = tuple(text for one in root.iter("source") if (text := (one.text or "").strip()))
    for part in root.iter("class"):
        lines = _Lines(part.get("filename", ""), bases)
        for line in part.iter("line"):
            number = int(line.get("number", ""))
            lines.line(number, ran=int(line.get("hits", "")) > 0)
            found = _CONDITIONS.fullmatch(line.get("condition-coverage", ""))
            if found is not None:
                lines.branch(number, int(found[2]), int(found[1]))
        yield lines


def _jacoco(root: Element) -> Iterator[_Lines]:
    for package in root.iter("package"):
        for source in package.iter("sourcefile"):
            lines = _Lines("/".join(filter(None, (package.get("name", ""), source.get("name")))))
            for line in source.iter("line"):
                number, ran = int(line.get("nr", "")), int(line.get("ci", ""))
                lines.line(number, ran=ran > 0)
                taken = int(line.get("cb", "0"))
                lines.branch(number, taken + int(line.get("mb", "0")), taken)
            yield lines


def _clover(root: Element) -> Iterator[_Lines]:
    for file in root.iter("file"):
        lines = _Lines(file.get("path") or file.get("name") or "")
        for line in file.iter("line"):
            number, kind = int(line.get("num", "")), line.get("type")
            if kind == "cond":
                ways = [int(line.get(way, "0")) > 0 for way in ("truecount", "falsecount")]
                lines.branch(number, 2, sum(ways))
            if kind in {"stmt", "cond"}:
                count = line.get("count")
                ran = int(count) > 0 if count else int(line.get("truecount", "0")) > 0
                lines.line(number, ran=ran)
        yield lines


def _lcov(data: bytes, name: str) -> Iterator[_Lines]:
    text = data.decode("utf-8", "replace").strip()
    if not text.endswith("end_of_record"):
        raise ToolError(f"{name} was cut short: no end_of_record at its end")
    lines = _Lines("")
    for number, line in enumerate(text.splitlines(), 1):
        key, _, value = line.strip().partition(":")
        try:
            _lcov_line(lines, key, value)
        except (ValueError, IndexError) as error:
            raise ToolError(f"{name}:{number} is not lcov: {line[:80]}") from error
        if key == "end_of_record":
            yield lines
            lines = _Lines("")


def _lcov_line(lines: _Lines, key: str, value: str) -> None:
    match key:
        case "SF":
            lines.name = value.strip()
        case "DA":
            number, hits = value.split(",")[:2]
            lines.line(int(number), ran=int(hits) > 0)
        case "BRDA":
            which, _, taken = value.rpartition(",")
            lines.branch(which, 1, int(taken not in {"-", "0"}))
