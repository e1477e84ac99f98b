"""Calls that hang do not make their caller hang."""

from __future__ import annotations

import threading
import time

import pytest

from cds_service.errors import StoreUnavailable
from cds_service.store.bounded_calls import BoundedCalls


@pytest.fixture
def calls():
    bounded = BoundedCalls(0.2)
    yield bounded
    bounded.close(5)


@pytest.fixture
def gate():
    opened = threading.Event()
    yield opened
    opened.set()


def test_returns_and_raises_what_the_call_does(calls):
    assert calls.run(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        calls.run(lambda: 1 // 0)


def test_gives_up_a_call_that_hangs(calls, gate):
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        calls.run(lambda: gate.wait(30))
    assert time.monotonic() - began < 2


def test_hanging_calls_do_not_pile_up(calls, gate):
    for _ in range(12):
        with pytest.raises(StoreUnavailable):
            calls.run(lambda: gate.wait(30))
    assert len(calls._executor._threads) == 8
    gate.set()
    assert calls.run(lambda: "again") == "again"


def test_closing_waits_for_calls_given_up(gate):
    bounded, finished = BoundedCalls(0.05), []
    with pytest.raises(StoreUnavailable):
        bounded.run(lambda: (gate.wait(30), time.sleep(0.1), finished.append(True)))
    gate.set()
    bounded.close(5)
    assert finished == [True]
