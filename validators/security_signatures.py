"""What gives weaknesses away in the body of an answer: patterns, and the files that are asked for.

Each pattern is of the form that the thing itself has: a word of prose does not match it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.result import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


def _patterns(*pairs: tuple[str, str]) -> Mapping[str, re.Pattern[str]]:
    return {name: re.compile(pattern) for name, pattern in pairs}


TRACES = _patterns(
    (
        "Python",
        (
            r"Traceback \(most recent call last\)|"
            r"File (?:\"|&quot;|&#34;)[^\"&<]{1,200}(?:\"|&quot;|&#34;), line \d+, in "
        ),
    ),
    (
        "Java",
        (
            r"\bat (?:[\w$]+\.)+[\w$<>]+"
            r"\((?:[\w$]+\.(?:java|kt|scala|groovy):\d+|Native Method|Unknown Source)\)"
        ),
    ),
    (
        "Node",
        (
            r"\bat (?:[\w.$<>\[\] ]{1,80} \()?"
            r"(?:file://|node:|[A-Z]:\\|/)[^\s()<]{0,200}:\d+:\d+\)?"
        ),
    ),
    (
        "PHP",
        (
            r"(?:Fatal error|Warning|Notice|Parse error|Deprecated)(?:</b>)?: .{1,400}?"
            r"\.php(?:</b>)? on line|#\d+ \S{1,200}\.php\(\d+\): "
        ),
    ),
    (
        ".NET",
        (
            r"\bat (?:[\w`<>]+\.)+[\w`<>]+\([^)\n]{0,200}\) in \S{1,200}:line \d+|"
            r"\bat (?:System|Microsoft)\.(?:[\w`<>]+\.)*[\w`<>]+\([^)\n]{0,200}\)"
        ),
    ),
    ("Go", r"\bgoroutine \d+ \[[a-z ,\d]+\]:|\.go:\d+ \+0x[0-9a-f]+"),
    ("Ruby", r"\w\.rb:\d+:in [`'\u2018&]"),
)
"""A line of a stack trace, by its language."""
DEBUG_PAGES = _patterns(
    (
        "Django",
        (
            r"You(?:'|&#x27;|\u2019)re seeing this error because you have "
            r"<code>DEBUG = True</code>"
        ),
    ),
    ("Werkzeug", r"// Werkzeug Debugger|<title>[^<]{0,200}// Werkzeug|__debugger__=yes"),
    ("Laravel", r"window\.ignite\(|Ignition\b[^<]{0,100}spatie|Whoops! There was an error\."),
    (
        "Symfony",
        r"<title>[^<]{0,200}</title>[\s\S]{0,2000}Symfony Exception|/_profiler/[0-9a-f]{6}",
    ),
    ("Rails", r"Action Controller: Exception caught|<h2[^>]*>Rails\.root: "),
    ("Express", r"<pre>\w{0,40}Error: [^<]{0,300}<br>(?: |&nbsp;)+at "),
    ("ASP.NET", r"Server Error in '[^'<]{0,100}' Application|AspNetCore\.Diagnostics\.Developer"),
    ("Spring", r"<h1>Whitelabel Error Page</h1>"),
)
"""The page that a framework shows its developers."""
MILD_PAGES = frozenset({"Spring"})
"""Debug pages that show no more than which framework it is."""
DATABASE_ERRORS = _patterns(
    (
        "PostgreSQL",
        (
            r"\bpsycopg2?\.(?:errors\.\w+|\w*Error)|\bPSQLException\b|\bPG::\w+Error\b|"
            r"ERROR: +(?:syntax error at or near|unterminated quoted string)"
        ),
    ),
    ("MySQL", r"You have an error in your SQL syntax|SQLSTATE\[\w{5}\]|MySQLSyntaxErrorException"),
    ("SQLite", r"sqlite3\.\w*Error|SQLITE_ERROR|SQLite3::SQLException|unrecognized token: \""),
    (
        "SQL Server",
        r"Unclosed quotation mark after the character string|System\.Data\.SqlClient\.",
    ),
    ("Oracle", r"\bORA-\d{5}: "),
    (
        "an ORM",
        (
            r"sqlalchemy\.exc\.\w+|ActiveRecord::StatementInvalid|"
            r"org\.hibernate\.\w+Exception|SequelizeDatabaseError|PrismaClient\w*Error"
        ),
    ),
)
"""An error message of a database."""
LISTINGS = re.compile(
    r"<title>Index of /|<h1>Index of /|<title>Directory listing for|\[To Parent Directory\]"
    r"|<title>Directory: /|<title>listing directory /|<pre>\s*<a href=\"\.\./\">\.\./</a>",
    re.IGNORECASE,
)
"""The listing that a web server makes of a folder."""


@dataclass(frozen=True, slots=True)
class File:
    """A path to ask for and the content that shows it is that file: never its presence alone.

    ``archive`` is a file that may be longer than what is read.
    """

    probe: str
    path: str
    content: re.Pattern[str]
    severity: Severity | None = None
    archive: bool = False


_ENVIRONMENT = r"(?m)^(?:export )?[A-Z][A-Z0-9_]{2,}=\S"
_KEY = r"^\s*-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"
_SQL = (
    r"(?i)\A(?:[^<]{0,500})(?:CREATE TABLE|INSERT INTO|-- MySQL dump|-- PostgreSQL database dump)"
)
_ZIP = r"\APK\x03\x04"
# A body is read as UTF-8: the bytes of gzip's mark that are none become U+FFFD.
_GZIP = "\\A\x1f\ufffd"
_PHP = r"<\?php\b"
_VCS, _SECRETS, _MANAGED, _BACKUPS = "GR-S070", "GR-S071", "GR-S072", "GR-S073"
_PLAIN = tuple(
    File(probe, path, re.compile(content))
    for probe, path, content in (
        (_VCS, "/.git/HEAD", r"\A(?:ref: refs/|[0-9a-f]{40}\s*\Z)"),
        (_VCS, "/.git/config", r"(?m)^\[core\]"),
        (_VCS, "/.svn/entries", r"\A\d{1,2}\r?\n"),
        (_VCS, "/.hg/requires", r"(?m)^(?:revlogv1|store|dotencode|share-safe)$"),
        (_SECRETS, "/.env", _ENVIRONMENT),
        (_SECRETS, "/.env.local", _ENVIRONMENT),
        (_SECRETS, "/.env.production", _ENVIRONMENT),
        (_SECRETS, "/.env.bak", _ENVIRONMENT),
        (_SECRETS, "/.aws/credentials", r"(?m)^aws_(?:access_key_id|secret_access_key)\s*="),
        (_SECRETS, "/.ssh/id_rsa", _KEY),
        (_SECRETS, "/id_rsa", _KEY),
        (_SECRETS, "/server.key", _KEY),
        (_SECRETS, "/.htpasswd", r"(?m)^[\w.@-]+:(?:\$(?:apr1|2[aby]|5|6)\$|\{SHA\})\S+"),
        (_SECRETS, "/.npmrc", r"(?m):?_auth(?:Token)?\s*="),
        (_SECRETS, "/.netrc", r"(?m)^machine\s+\S+"),
        (_SECRETS, "/.dockercfg", r"\"auth\"\s*:\s*\""),
        (_SECRETS, "/.docker/config.json", r"\"auths?\"\s*:"),
        (_SECRETS, "/wp-config.php.bak", r"define\(\s*['\"]DB_PASSWORD"),
        (_MANAGED, "/actuator", r"\"_links\"\s*:\s*\{\s*\"self\""),
        (_MANAGED, "/actuator/env", r"\"propertySources\"\s*:"),
        (_MANAGED, "/actuator/mappings", r"\"dispatcherServlets?\"|\"contexts\"\s*:"),
        (_MANAGED, "/debug/pprof/", r"<title>/debug/pprof/</title>|full goroutine stack dump"),
        (_MANAGED, "/debug/vars", r"\"memstats\"\s*:"),
        (_MANAGED, "/server-status", r"<title>Apache Status</title>|Apache Server Status for"),
        (_MANAGED, "/nginx_status", r"\AActive connections: \d+"),
        (_MANAGED, "/phpinfo.php", r"<title>(?:PHP [\d.]+\S* - )?phpinfo\(\)</title>"),
        (_MANAGED, "/jolokia/version", r"\"agent\"\s*:\s*\"[\d.]"),
        (_MANAGED, "/_profiler", r"Symfony Profiler"),
        (_MANAGED, "/elmah.axd", r"Error Log for"),
        (_BACKUPS, "/index.php.bak", _PHP),
        (_BACKUPS, "/index.php~", _PHP),
        (_BACKUPS, "/.DS_Store", r"\A\x00\x00\x00\x01Bud1"),
    )
)
_ARCHIVES = tuple(
    File(_BACKUPS, path, re.compile(content), archive=True)
    for path, content in (
        ("/backup.zip", _ZIP),
        ("/backup.tar.gz", _GZIP),
        ("/backup.sql", _SQL),
        ("/dump.sql", _SQL),
        ("/db.sqlite3", r"\ASQLite format 3\x00"),
        ("/database.sqlite", r"\ASQLite format 3\x00"),
    )
)
_METRICS = File(_MANAGED, "/metrics", re.compile(r"(?m)^# (?:HELP|TYPE) \w+"), Severity.LOW)
FILES = (*_PLAIN, *_ARCHIVES, _METRICS)
"""What is asked for, and what it looks like."""
