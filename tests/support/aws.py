"""AWS services over HTTP for unmodified boto3: they answer as told and keep every call.

    with AwsEndpoint({"ecs.ContinueServiceDeployment": [Fault.THROTTLE, continued]}) as aws:
        boto3.client("ecs", endpoint_url=aws.url)…

A key is ``service.Operation`` in botocore's words, a value what is done with its calls: an
answer, a function from the call's members to an answer, a `Fault`, a `Refusal` (an error that
botocore's model knows), `After` some seconds, `Unheard`; or a list of them, the last of which goes
on for ever.
Requests and answers are held against botocore's shapes: a misfit is an error of the test.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.aws_protocols import UnknownCallError, answered, asked
from tests.support.faults import (
    After,
    Fault,
    FaultProxy,
    FaultServer,
    Json,
    Pass,
    Refusal,
    Request,
    Response,
    Script,
    Step,
    Turns,
    Unheard,
    Visit,
)
from tests.support.shapes import errors, misfits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel

__all__ = [
    "After",
    "AwsEndpoint",
    "Call",
    "Fault",
    "FaultProxy",
    "Json",
    "Pass",
    "Refusal",
    "Script",
    "Step",
    "Unheard",
]

_COMMON = frozenset({"ValidationException", "ThrottlingException", "AccessDeniedException"})
"""Errors that any operation of any service may answer with, modelled or not."""


@dataclass(slots=True)
class Call:
    """One call; ``at`` is in monotonic seconds, ``accepted`` whether it was performed."""

    name: str
    members: Json
    at: float
    accepted: bool = False


class AwsEndpoint(FaultServer):
    """Serves the operations that ``answers`` names; see the module."""

    def __init__(self, answers: Mapping[str, Script]) -> None:
        self._lock = threading.Lock()
        self.answer(answers)
        super().__init__()

    def answer(self, answers: Mapping[str, Script]) -> None:
        """Forget all that was, and answer like this from now on."""
        for name, script in answers.items():  # whatever is wrong with the test is told now
            of, _, wanted = name.partition(".")
            unknown = {each.code for each in _refusals(script)} - errors(wanted, of) - _COMMON
            assert not unknown, f"{name} never answers {unknown}"
        with self._lock:
            self.calls: list[Call] = []
            self.problems: list[str] = []
            self._turns = {name: Turns(script) for name, script in answers.items()}
            self._services = tuple(dict.fromkeys(name.partition(".")[0] for name in answers))

    def of(self, name: str) -> list[Json]:
        """Return the members of all calls of ``service.Operation``, in order."""
        return [call.members for call in self.calls if call.name == name]

    def accepted(self, name: str) -> list[Json]:
        """Return the members of the calls of ``service.Operation`` that were performed."""
        return [call.members for call in self.calls if call.name == name and call.accepted]

    def visit(self, request: Request) -> Visit:
        """Keep the call, hold it against the model, and return the next step of its script."""
        try:
            model, members = asked(request, self._services)
        except (UnknownCallError, ValueError) as error:
            return _refuse(Refusal("UnknownOperationException", str(error)))
        name = f"{model.service_model.service_name}.{model.name}"
        call = Call(name, members, time.monotonic())
        with self._lock:
            self.calls.append(call)
            step = self._turns[name].take() if name in self._turns else None
        if wrong := list(misfits(model.input_shape, members, name)):
            self.problems.extend(wrong)
            return _refuse(Refusal("ValidationException", "; ".join(wrong)))
        if step is None:
            return _refuse(Refusal("UnknownOperationException", f"{name} has no script"))
        return Visit(step, lambda step: self._perform(model, call, step))

    def _perform(self, model: OperationModel, call: Call, step: Step) -> Response | Step:
        """Answer with a mapping; ask a function what to do."""
        if callable(step):
            made = step(call.members)
            return self._perform(model, call, made) if isinstance(made, Mapping) else made
        assert isinstance(step, Mapping), f"{call.name}: {step!r} is no answer"
        self.problems.extend(misfits(model.output_shape, dict(step), f"{call.name}'s answer"))
        call.accepted = True
        return answered(model, dict(step))

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if error[0] is None:
            assert not self.problems, self.problems


def _refuse(refusal: Refusal) -> Visit:
    return Visit(refusal, lambda step: step)


def _refusals(step: object) -> Iterator[Refusal]:
    """Yield the errors that a script names, however deep."""
    if isinstance(step, Refusal):
        yield step
    elif isinstance(step, After | Unheard):
        yield from _refusals(step.step)
    elif isinstance(step, Sequence):
        for one in step:
            if one is not step:  # a text's first letter is itself a text
                yield from _refusals(one)
