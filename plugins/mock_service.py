"""A mock HTTP service on a port of its own: it answers, records, misbehaves when told, and asserts.

Every request is recorded when it arrives. A request that meets no route, or breaks the contract of
the document that the service was made from, is answered and kept as a breach.
"""

from __future__ import annotations

import json
import re
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from greenroom.plugins.mock_faults import Fault, Faults, Harm, reset
from greenroom.plugins.mock_model import Api, Call, Reply, Route, json_reply
from greenroom.plugins.mock_record import Served, judge_calls, matches
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from greenroom.validators.finding import Finding

_BODY_MOST = 16 * 1024 * 1024
_FAREWELL_S = 5.0
_POLL_S = 0.02
_NO_ROUTE = {404: "there is no such route", 405: "the route has no such method"}


class MockService:
    """A mock of ``api``; `start` it, or use it as a context.

    ``verify`` records the finding of `assert_called`, and raises where it did not pass.
    """

    def __init__(self, api: Api, verify: Callable[[Finding], Finding]) -> None:
        self.name = api.name
        self._verify = verify
        self._routes = {route.name: route for route in api.routes}
        self._base = api.base
        self._map = _url_map(api)
        self._faults = Faults()
        self._served: list[Served] = []
        self._state = threading.Condition()
        self._under_way = 0
        self._ended = threading.Event()
        self.calls_expected = True
        self.breaches_allowed = False

    def start(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        self._server = make_server(
            "127.0.0.1", 0, self._application, threaded=True, request_handler=_Quiet
        )
        serve = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True)
        self._thread = serve
        serve.start()
        return self

    __enter__ = start

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, let go of who is kept waiting, and await the calls under way."""
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        with self._state:
            self._state.wait_for(lambda: self._under_way == 0, _FAREWELL_S)

    @property
    def url(self) -> str:
        """The service's address, with the base path of its document and no slash at its end."""
        return f"{self.origin}{self._base}"

    @property
    def origin(self) -> str:
        """The service's address without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def served(self) -> tuple[Served, ...]:
        """Every call, with what it got, in the order of arrival."""
        with self._state:
            return tuple(self._served)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The requests that came, in the order of arrival."""
        return tuple(served.call for served in self.served)

    @property
    def breaches(self) -> tuple[str, ...]:
        """What was wrong with the requests that came, one text each."""
        return tuple(f"{one.call}: {breach}" for one in self.served for breach in one.breaches)

    @property
    def unmet_faults(self) -> tuple[str, ...]:
        """The routes with faults that were told for so many calls, and met by fewer."""
        with self._state:
            return self._faults.unused()

    # What a test tells the service

    def fail(
        self,
        route: str,
        status: int = 500,
        times: int | None = None,
        *,
        json: Any = None,  # noqa: ANN401 - a JSON value
    ) -> None:
        """Answer the next ``times`` calls of ``route``, or all, with ``status``."""
        if not 400 <= status <= 599:  # noqa: PLR2004 - HTTP's errors
            raise ValueError(f"a failure has a status from 400 to 599, not {status}")
        body = {"error": f"{route} was told to fail"} if json is None else json
        self._tell(route, Fault(Harm.FAIL, times, json_reply(body, status)))

    def stall(self, route: str, seconds: float | None = None, times: int | None = None) -> None:
        """Answer ``seconds`` late, or, without them, never: the connection ends with the test."""
        self._tell(route, Fault(Harm.STALL, times, seconds=seconds))

    def reset(self, route: str, times: int | None = None) -> None:
        """End the connection by a TCP reset."""
        self._tell(route, Fault(Harm.RESET, times))

    def drop(self, route: str, times: int | None = None) -> None:
        """Close the connection without an answer."""
        self._tell(route, Fault(Harm.DROP, times))

    def recover(self, route: str) -> None:
        """Forget the faults of ``route``."""
        with self._state:
            self._faults.clear(self._known(route))

    def expect_no_calls(self) -> None:
        """Let the test pass although nobody calls the service, and only then."""
        self.calls_expected = False

    def allow_breaches(self) -> None:
        """Let the test pass although requests break the contract."""
        self.breaches_allowed = True

    def assert_called(
        self,
        route: str,
        times: int | None = None,
        *,
        json: Any = ...,  # noqa: ANN401 - a JSON value
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[Call, ...]:
        """Return the calls of ``route`` with this body, query and these headers.

        There must be ``times`` of them, or one at least; else the test fails, with all calls seen.
        """
        __tracebackhide__ = True
        known = self._known(route)
        wanted = {"json": json, "query": query, "headers": headers}
        found = tuple(call for call in self.calls if call.route == known and matches(call, wanted))
        self._verify(judge_calls(self.name, known, times, found, self.calls))
        return found

    def _tell(self, route: str, fault: Fault) -> None:
        with self._state:
            self._faults.tell(self._known(route), fault)

    def _known(self, route: str) -> str:
        if route not in self._routes:
            names = ", ".join(self._routes)
            raise SettingsError(f"{self.name} has no route {route!r}", hint=f"its routes: {names}")
        return route

    # What a client sees

    def _application(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        with self._state:
            self._under_way += 1
        try:
            reply = self._handle(environ)
            response = Response(reply.body, reply.status, list(reply.headers))
            if not any(name.lower() == "content-type" for name, _ in reply.headers):
                del response.headers["content-type"]
            return response(environ, start)
        finally:
            with self._state:
                self._under_way -= 1
                self._state.notify_all()

    def _handle(self, environ: WSGIEnvironment) -> Reply:
        began = time.monotonic()
        call, route, wrong = self._met(environ)
        reply, breaches = _answer(route, call) if route else (wrong, (_no_route(wrong),))
        served = Served(call, breaches, datetime.now(UTC).isoformat(timespec="milliseconds"))
        with self._state:
            self._served.append(served)
            fault = self._faults.take(call.route) if call.route else None
        try:
            given = self._harmed(fault, reply, environ)
            self._pause(given.delay_s)
        except ConnectionError as error:
            served.error = str(error)
            raise
        else:
            served.reply = given
            return given
        finally:
            served.elapsed_ms = (time.monotonic() - began) * 1000

    def _met(self, environ: WSGIEnvironment) -> tuple[Call, Route | None, Reply]:
        """Read a request, and find its route; without one, the reply says what is wrong."""
        request = Request(environ)
        request.max_content_length = _BODY_MOST
        route, parameters, body, wrong = None, {}, b"", Reply(500)
        try:
            body = request.get_data()
            rule, values = self._map.bind_to_environ(environ).match(return_rule=True)
            route = self._routes[str(rule.endpoint)]
            names = re.findall(r"\{([^{}]*)\}", route.path)
            parameters = {name: str(values[f"p{at}"]) for at, name in enumerate(names)}
        except HTTPException as error:
            status = max(error.code or 0, 404)
            text = _NO_ROUTE.get(status, error.name)
            wrong = json_reply({"error": text, "routes": list(self._routes)}, status)
        call = Call(
            method=request.method,
            path=request.path,
            route=route.name if route else "",
            parameters=tuple(parameters.items()),
            query=tuple(request.args.items(multi=True)),
            headers=tuple((name.lower(), value) for name, value in request.headers.items()),
            body=body,
        )
        return call, route, wrong

    def _harmed(self, fault: Fault | None, reply: Reply, environ: WSGIEnvironment) -> Reply:
        match fault:
            case None:
                return reply
            case Fault(harm=Harm.FAIL, reply=failure) if failure is not None:
                return failure
            case Fault(harm=Harm.STALL, seconds=seconds):
                self._pause(seconds)
                return reply
            case Fault(harm=Harm.RESET):
                reset(environ["werkzeug.socket"])
        raise ConnectionAbortedError(fault.harm.value)

    def _pause(self, seconds: float | None) -> None:
        """Wait; the end of the service ends the connection."""
        if seconds != 0 and self._ended.wait(seconds):
            raise ConnectionAbortedError(Harm.STALL.value)


class _Quiet(WSGIRequestHandler):
    timeout = 30

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:  # noqa: ANN401
        """Expect nothing more of a connection that was ended."""
        del error, environ
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: calls are recorded."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002, ANN401 - werkzeug's
        """Log nothing."""


def _answer(route: Route, call: Call) -> tuple[Reply, tuple[str, ...]]:
    """Answer a call; a document that cannot say how, or says nonsense, is the call's breach."""
    try:
        return route.answer(call)
    except SettingsError as error:
        why = error.explain()
    except Exception as error:  # noqa: BLE001 - in this thread nobody would see it
        why = f"{route.name}: the document is not understood: {error!r}"
    return json_reply({"error": why}, 500), (why,)


def _no_route(reply: Reply) -> str:
    return f"answered {reply.status}: {json.loads(reply.body)['error']}"


def _url_map(api: Api) -> Map:
    """Return what finds routes; a literal path comes before one with parameters."""
    rules = [
        Rule(api.base + _rule(route.path), endpoint=route.name, methods=[route.method])
        for route in api.routes
    ]
    return Map(rules, strict_slashes=True, merge_slashes=False, redirect_defaults=False)


def _rule(path: str) -> str:
    parts = re.split(r"\{[^{}]*\}", path)
    rule = parts[0]
    for at, part in enumerate(parts[1:]):
        rule += f"<p{at}>{part}"
    return rule
