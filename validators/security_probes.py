"""The table of the built-in probes: what each sends, what it needs to see, and the fix."""

from __future__ import annotations

from greenroom.validators.result import Severity
from greenroom.validators.security import Group, Probe

_CRITICAL, _HIGH, _MEDIUM, _LOW = (
    Severity.CRITICAL,
    Severity.HIGH,
    Severity.MEDIUM,
    Severity.LOW,
)
_ACCESS = ("A01:2021", "A01:2025")
_CONFIGURED = ("A05:2021", "A02:2025", "API8:2023")
_CRYPTO = ("A02:2021", "A04:2025")
_AUTHENTICATED = ("A07:2021", "A07:2025", "API2:2023")
_ERRORS = ("A05:2021", "A10:2025", "API8:2023")
_PAGES = "GET of each path"
_ALL = "reads every answer of the run"
_DEBUG_FIX = "turn debug mode off, and answer errors with a plain page; keep the trace in the log"

PROBES = {
    probe.id: probe
    for probe in (
        Probe(
            "GR-S001", "No HSTS", Group.HEADERS, _MEDIUM, 319, _CONFIGURED, _PAGES,
            "an answer over https without Strict-Transport-Security, or with less than 180 days",
            "send Strict-Transport-Security: max-age=31536000; includeSubDomains",
        ),
        Probe(
            "GR-S002", "No content security policy", Group.HEADERS, _MEDIUM, 693, _CONFIGURED,
            _PAGES, "an HTML page without Content-Security-Policy",
            "send Content-Security-Policy: default-src 'self'; object-src 'none'",
        ),
        Probe(
            "GR-S003", "Weak content security policy", Group.HEADERS, _LOW, 693, _CONFIGURED,
            _PAGES, "scripts from anywhere, inline without nonce or hash, or by eval are allowed",
            "name the sources of scripts; replace 'unsafe-inline' by a nonce",
        ),
        Probe(
            "GR-S004", "Content types are guessed", Group.HEADERS, _LOW, 430, _CONFIGURED,
            _PAGES, "an answer with a body without X-Content-Type-Options: nosniff",
            "send X-Content-Type-Options: nosniff",
        ),
        Probe(
            "GR-S005", "Pages can be framed", Group.HEADERS, _MEDIUM, 1021, _CONFIGURED, _PAGES,
            "an HTML page with neither frame-ancestors in its policy nor X-Frame-Options",
            "send Content-Security-Policy: frame-ancestors 'none' (or 'self')",
        ),
        Probe(
            "GR-S006", "Addresses leak by the referrer", Group.HEADERS, _LOW, 200, _CONFIGURED,
            _PAGES, "an HTML page without Referrer-Policy, or with unsafe-url",
            "send Referrer-Policy: strict-origin-when-cross-origin",
        ),
        Probe(
            "GR-S010", "Cookie without Secure", Group.COOKIES, _MEDIUM, 614, _CONFIGURED, _ALL,
            "Set-Cookie without Secure", "set the cookie with Secure",
        ),
        Probe(
            "GR-S011", "Cookie without HttpOnly", Group.COOKIES, _MEDIUM, 1004, _CONFIGURED, _ALL,
            "Set-Cookie without HttpOnly; a cookie against CSRF (csrf or xsrf in its name) is "
            "meant for scripts and is left out",
            "set the cookie with HttpOnly",
        ),
        Probe(
            "GR-S012", "Cookie without SameSite", Group.COOKIES, _LOW, 1275, _ACCESS, _ALL,
            "Set-Cookie without SameSite; SameSite=None without Secure is medium",
            "set the cookie with SameSite=Lax or Strict",
        ),
        Probe(
            "GR-S013", "Cookie prefix not honoured", Group.COOKIES, _MEDIUM, 565, _CONFIGURED,
            _ALL, "__Host- without Secure and Path=/ or with Domain; __Secure- without Secure",
            "set __Host- cookies with Secure and Path=/ and without Domain",
        ),
        Probe(
            "GR-S020", "Any origin is trusted", Group.CORS, _HIGH, 942, _CONFIGURED,
            "each path with the Origin of another host, and with ones that begin or end like the "
            "target's",
            "Access-Control-Allow-Origin repeats it; medium without Allow-Credentials: true",
            "compare Origin with a list of whole origins",
        ),
        Probe(
            "GR-S021", "The null origin is trusted", Group.CORS, _HIGH, 942, _CONFIGURED,
            "each path with Origin: null",
            "Access-Control-Allow-Origin: null; medium without Allow-Credentials: true",
            "never allow the origin null: any sandboxed frame has it",
        ),
        Probe(
            "GR-S022", "Wildcard with credentials", Group.CORS, _MEDIUM, 942, _CONFIGURED,
            "each path with the Origin of another host",
            "Access-Control-Allow-Origin: * with Access-Control-Allow-Credentials: true",
            "name the origins that may send credentials",
        ),
        Probe(
            "GR-S030", "Plain http serves", Group.TLS, _HIGH, 319, _CRYPTO,
            "GET by plain http of the target's host", "an answer that does not redirect to https",
            "redirect plain http to https, or close its port",
        ),
        Probe(
            "GR-S031", "TLS below 1.2", Group.TLS, _HIGH, 327, _CRYPTO,
            "greetings of TLS 1.0 and of TLS 1.1", "the server goes on in that version",
            "accept TLS 1.2 and 1.3 alone",
        ),
        Probe(
            "GR-S032", "Weak cipher", Group.TLS, _HIGH, 327, _CRYPTO,
            "a greeting that offers nothing but NULL, anonymous, export, RC4, DES and 3DES ciphers",
            "the server chooses one of them", "accept AEAD ciphers with forward secrecy alone",
        ),
        Probe(
            "GR-S033", "Certificate not valid", Group.TLS, _HIGH, 295, _CRYPTO,
            "one handshake that verifies chain, name and dates", "the verification fails",
            "serve a certificate for this name, with its chain, within its dates",
        ),
        Probe(
            "GR-S040", "TRACE is answered", Group.METHODS, _MEDIUM, 693, _CONFIGURED,
            "TRACE with a random header", "the answer repeats the header",
            "turn TRACE off",
        ),
        Probe(
            "GR-S041", "PUT writes", Group.METHODS, _HIGH, 650, _ACCESS,
            "PUT of a random text at a random path, then GET; what was written is deleted again",
            "GET returns the text; medium: PUT answers 201, or 2xx where GET and POST do not",
            "refuse PUT where it is not meant, and without credentials",
        ),
        Probe(
            "GR-S042", "DELETE is accepted", Group.METHODS, _MEDIUM, 650, _ACCESS,
            "DELETE of a random path", "2xx where GET of a random path is none",
            "refuse DELETE where it is not meant, and without credentials",
        ),
        Probe(
            "GR-S043", "CONNECT is accepted", Group.METHODS, _HIGH, 441, _CONFIGURED,
            "CONNECT", "2xx where a method that does not exist gets none",
            "refuse CONNECT: the service is no proxy",
        ),
        Probe(
            "GR-S044", "Method override", Group.METHODS, _MEDIUM, 650, _ACCESS,
            "GET of the first path with X-HTTP-Method-Override and its kin naming a method that "
            "does not exist; POST of a random path with them naming DELETE",
            "the answer is that of the other method",
            "turn method override off, or allow it for authenticated forms alone",
        ),
        Probe(
            "GR-S050", "Stack trace", Group.LEAKS, _MEDIUM, 209, _ERRORS,
            "broken JSON, a wrong type of body, a method that does not exist, broken escapes and "
            "parameters; " + _ALL,
            "a trace of Python, Java, Node, PHP, .NET, Go or Ruby", _DEBUG_FIX,
        ),
        Probe(
            "GR-S051", "Debug page", Group.LEAKS, _HIGH, 489, _ERRORS, "as GR-S050",
            "the debug page of Django, Werkzeug, Laravel, Symfony, Rails, Express, ASP.NET or "
            "Spring (Spring's is low)", _DEBUG_FIX,
        ),
        Probe(
            "GR-S052", "Database error", Group.LEAKS, _MEDIUM, 209, _ERRORS, "as GR-S050",
            "an error message of PostgreSQL, MySQL, SQLite, SQL Server, Oracle or an ORM",
            "bind parameters, and answer errors with a plain page",
        ),
        Probe(
            "GR-S053", "Version banner", Group.LEAKS, _LOW, 200, _CONFIGURED, _ALL,
            "a number in Server, or X-Powered-By, X-AspNet-Version, X-AspNetMvc-Version, "
            "X-Generator",
            "leave the header out, or its version",
        ),
        Probe(
            "GR-S060", "Open redirect", Group.REDIRECTS, _MEDIUM, 601, _ACCESS,
            "each path with 20 usual parameters naming a host outside, in four forms; a path that "
            "begins with //HOST",
            "a redirect (Location, Refresh or meta refresh) to the host outside",
            "redirect to paths of your own alone",
        ),
        Probe(
            "GR-S061", "Host header is believed", Group.HOST, _MEDIUM, 644, _CONFIGURED,
            "the first path with another Host, and with X-Forwarded-Host, X-Host, Forwarded",
            "the other host in Location, in the page or in a cookie's Domain; high where caches "
            "may keep the answer (max-age, s-maxage or public) and Vary does not name the header",
            "make addresses from a configured name; refuse unknown hosts",
        ),
        Probe(
            "GR-S062", "Directory listing", Group.LISTING, _MEDIUM, 548, _CONFIGURED,
            "each path's folders, and usual folders", "the listing of a web server",
            "turn directory listing off",
        ),
        Probe(
            "GR-S070", "Repository files", Group.FILES, _HIGH, 527, _CONFIGURED,
            "/.git/HEAD, /.git/config, /.svn/entries, /.hg/requires", "content as of that file",
            "keep repositories out of what is served",
        ),
        Probe(
            "GR-S071", "Secrets", Group.FILES, _CRITICAL, 538, _CONFIGURED,
            "/.env and its kin, cloud credentials, private keys, password files",
            "content as of that file", "remove the file, and replace every secret in it",
        ),
        Probe(
            "GR-S072", "Management endpoint", Group.FILES, _HIGH, 497, _CONFIGURED,
            "actuator, pprof, server-status, phpinfo, Jolokia, expvar, profiler, metrics (low)",
            "content as of that endpoint", "serve it on another port, behind credentials",
        ),
        Probe(
            "GR-S073", "Backup or database file", Group.FILES, _HIGH, 530, _CONFIGURED,
            "archives, dumps and copies with usual names",
            "content as of that file; an answer larger than is read, where a random path has none",
            "keep backups out of what is served",
        ),
        Probe(
            "GR-S080", "Served without credentials", Group.AUTH, _CRITICAL, 306, _AUTHENTICATED,
            "GET of each path of auth without credentials", "2xx",
            "require credentials there",
        ),
        Probe(
            "GR-S081", "Broken credentials are accepted", Group.AUTH, _CRITICAL, 287,
            _AUTHENTICATED,
            "empty and malformed tokens, an unsigned JWT, the given credentials with a character "
            "changed",
            "2xx", "verify each credential in full, and refuse what cannot be verified",
        ),
        Probe(
            "GR-S082", "Protected for some methods", Group.AUTH, _CRITICAL, 650, _ACCESS,
            "HEAD, a method that does not exist, and the methods of auth, without credentials",
            "2xx", "protect the path, not the method; refuse methods that are not meant",
        ),
        Probe(
            "GR-S083", "Protection evaded by the path", Group.AUTH, _CRITICAL, 288, _ACCESS,
            "trailing slash, //, %2e, case, ;x, encoded letters, X-Original-URL, X-Rewrite-URL, "
            "without credentials",
            "2xx with another content than a random path has",
            "decide on the path after it was normalised, in the service itself",
        ),
        Probe(
            "GR-S090", "No rate limit", Group.RATE_LIMIT, _MEDIUM, 770,
            ("A04:2021", "A06:2025", "API4:2023"), "as many requests as rate_limit says",
            "none is answered 429, or 503 with Retry-After",
            "limit requests by client, and answer 429 with Retry-After",
        ),
        Probe(
            "GR-S091", "Rate limit evaded", Group.RATE_LIMIT, _MEDIUM, 348,
            ("A04:2021", "A06:2025", "API4:2023"),
            "after the limit, the same with another X-Forwarded-For and its kin",
            "an answer that is not limited, where the same without them still is",
            "count by the address that your own proxy names, not by what a client writes",
        ),
    )
}  # fmt: skip
"""Every probe, by its id."""
GROUPS = {
    group: tuple(probe for probe in PROBES.values() if probe.group is group) for group in Group
}
"""The probes of each group."""
