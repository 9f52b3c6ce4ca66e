"""Reports a verdict to ECS: the hook function's own answer."""

from __future__ import annotations


def answer(*, succeeded: bool) -> dict[str, str]:
    """Return what an ECS deployment lifecycle hook must answer; anything else rolls back."""
    return {"hookStatus": "SUCCEEDED" if succeeded else "FAILED"}
