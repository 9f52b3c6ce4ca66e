"""The run as one HTML file: no request leaves it, and nothing in the record can run in it."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from greenroom.reports import text
from greenroom.reports.page import Page
from greenroom.reports.states import State
from greenroom.validators.record import SCHEMA

if TYPE_CHECKING:
    from greenroom.validators.record import RunRecord

_LONGEST = 20_000
_NAMES = 100


def render(record: RunRecord) -> str:
    """Return the page of ``record``; the text can always be encoded as UTF-8."""
    return _template().render(page=Page.of(record), record=record)


@cache
def _template() -> jinja2.Template:
    """Return the page's template with the assets inlined and allowed by their hashes alone."""
    style, script = _read("page.css"), _read("page.js")
    environment = jinja2.Environment(
        autoescape=True,
        finalize=_shown,
        loader=jinja2.FunctionLoader(_read),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "seconds": text.duration,
        "moment": text.moment,
        "count": text.count,
        "drift": partial(text.drift, most=_NAMES),
    }
    environment.globals |= {
        "states": tuple(State),
        "schema": SCHEMA,
        "style": Markup(style),  # noqa: S704 - our own file, no data in it
        "script": Markup(script),  # noqa: S704 - our own file, no data in it
        "policy": (
            f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
    }
    return environment.get_template("page.html")


def _shown(value: object) -> object:
    """Bound and clean every value on its way into the page; autoescape then escapes it."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return text.visible(text.clip(value, _LONGEST))
    return value


def _read(name: str) -> str:
    return files("greenroom.reports").joinpath(name).read_text(encoding="utf-8")


def _hash(asset: str) -> str:
    digest = hashlib.sha256(asset.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
