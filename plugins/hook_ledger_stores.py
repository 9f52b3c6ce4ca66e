"""Where a ledger's entries are kept: S3 or DynamoDB, both with conditional writes.

An entry is a text with a name that is written once: of writes that race, one wins. Both are read
strongly consistently.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from greenroom.plugins.aws_process import CallError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.plugins.aws_process import Aws

KEPT_S = 14 * 24 * 60 * 60
"""How long a table keeps an entry whose time to live is switched on (attribute ``expires``)."""

_TAKEN = frozenset({"PreconditionFailed", "ConditionalCheckFailedException"})


class Entries(Protocol):
    """Texts with names, each written once; both raise `CallError` unless answered by ``until``."""

    def put(self, name: str, text: str, *, until: float) -> None:
        """Write an entry, unless there is one of that name; what stands is read with `get`."""
        ...

    def get(self, name: str, *, until: float) -> str | None:
        """Return an entry's text, or None."""
        ...


class S3Entries:
    """One object ``<prefix><name>.json`` for each entry.

    The role needs s3:PutObject and s3:GetObject on the objects, and s3:ListBucket on the bucket:
    without it S3 says AccessDenied, not NoSuchKey, of an object that is not there.
    """

    def __init__(self, aws: Aws, bucket: str, prefix: str) -> None:
        self._aws = aws
        self._bucket = bucket
        self._prefix = prefix

    def put(self, name: str, text: str, *, until: float) -> None:
        """See `Entries.put`."""
        members = {
            **self._at(name),
            "Body": text,
            "ContentType": "application/json",
            "IfNoneMatch": "*",
        }
        _write_once(self._aws, "s3", "put_object", members, until)

    def get(self, name: str, *, until: float) -> str | None:
        """See `Entries.get`."""
        try:
            found = self._aws.insist("s3", "get_object", self._at(name), until=until)
        except CallError as error:
            if error.code == "NoSuchKey":
                return None
            if error.code == "AccessDenied":
                raise CallError(
                    str(error),
                    hint=f"{error.hint}; and allow s3:ListBucket, without which S3 refuses to say "
                    "that an object is absent",
                    code=error.code,
                    again=True,
                ) from error
            raise
        return str(found["Body"])

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{name}.json"}


class DynamoDbEntries:
    """One item for each entry, in a table whose only key is the string ``id``.

    The role needs dynamodb:PutItem and dynamodb:GetItem.
    """

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    def put(self, name: str, text: str, *, until: float) -> None:
        """See `Entries.put`."""
        item = {
            "id": {"S": name},
            "entry": {"S": text},
            "expires": {"N": str(int(time.time()) + KEPT_S)},
        }
        members = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(id)",
        }
        _write_once(self._aws, "dynamodb", "put_item", members, until)

    def get(self, name: str, *, until: float) -> str | None:
        """See `Entries.get`."""
        members = {"TableName": self._table, "Key": {"id": {"S": name}}, "ConsistentRead": True}
        found = self._aws.insist("dynamodb", "get_item", members, until=until)
        return str(found["Item"]["entry"]["S"]) if "Item" in found else None


def _write_once(
    aws: Aws, service: str, operation: str, members: Mapping[str, Any], until: float
) -> None:
    try:
        aws.insist(service, operation, members, until=until)
    except CallError as error:
        if error.code not in _TAKEN:
            raise
