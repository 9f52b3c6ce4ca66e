from __future__ import annotations

import os
import signal
import threading

import pytest

from greenroom.rehearsal.interruption import interruptible, undisturbed


def interrupt(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        interrupt(number)
    assert signal.getsignal(number) is before


def nested(done: list[str]) -> None:
    with undisturbed():
        with undisturbed():
            interrupt(signal.SIGTERM)
            done.append("inner")
        done.append("outer")
    done.append("after")


def test_an_undisturbed_block_is_finished_first() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        nested(done)
    assert done == ["inner", "outer"]


def test_an_interruption_is_told_once() -> None:
    with interruptible():
        with pytest.raises(KeyboardInterrupt), undisturbed():
            interrupt(signal.SIGINT)
        with undisturbed():
            pass


def test_other_threads_keep_nothing_back() -> None:
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        with undisturbed():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait(10)
    with pytest.raises(KeyboardInterrupt), interruptible():
        interrupt(signal.SIGINT)
    leave.set()
    thread.join()
