from __future__ import annotations

import pytest

from greenroom.plugins.function_address import Payload, parse_function, shown_target
from greenroom.validators.errors import SettingsError

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:Trivia"
REFUSED = {
    "no-version": ("lambda://trivia", "names no version"),
    "latest": ("lambda://trivia:$LATEST", "names no version"),
    "published-latest": ("lambda://trivia:$LATEST.PUBLISHED", "names no version"),
    "arn-without-version": (f"lambda://{ARN}", "names no version"),
    "no-name": ("lambda://:8", "is not a function's address"),
    "blank": ("lambda://tri via:8", "is not a function's address"),
    "fragment": ("lambda://trivia:8/#x", "is not a function's address"),
    "unknown-form": ("lambda://trivia:8?payload=3.0", "2.0, 1.0, alb"),
    "unknown-parameter": ("lambda://trivia:8?region=x", "unknown region"),
}


@pytest.mark.parametrize(("address", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_an_address_without_an_exact_version_is_refused(address: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_function(address)
    assert message in refused.value.explain()
    assert refused.value.hint


def test_a_name_keeps_its_case_and_gets_a_host_that_nobody_resolves() -> None:
    function = parse_function("lambda://Trivia_Api:live/v1/?payload=1.0")
    assert (function.function, function.version, function.prefix) == ("Trivia_Api", "live", "/v1")
    assert function.payload is Payload.REST_API
    assert function.host == "trivia_api.lambda.invalid"
    assert shown_target("lambda://Trivia_Api:live/v1/?payload=1.0") == "lambda://Trivia_Api:live/v1"


def test_an_arn_names_its_region() -> None:
    function = parse_function(f"lambda://{ARN}:8")
    assert (function.function, function.version, function.region) == (ARN, "8", "eu-west-1")
    assert function.host == "trivia.lambda.invalid"
