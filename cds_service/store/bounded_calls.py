"""Runs calls that may hang in threads, so that a caller never waits longer than the limit.

A frozen server or a dead network share does not know our timeouts; this one is ours.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, TypeVar

from cds_service.errors import StoreUnavailable

_Result = TypeVar("_Result")
_THREADS = 8


class BoundedCalls:
    """A few threads, made at the first call of a process."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._running: set[Future[Any]] = set()

    def run(self, call: Callable[[], _Result]) -> _Result:
        """Return what `call` returns or raise what it raises. A call given up may still take effect.

        Raises: StoreUnavailable where it takes too long.
        """
        future = self._threads().submit(call)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        try:
            return future.result(self._limit_seconds)
        except FutureTimeoutError:
            future.cancel()
            raise StoreUnavailable("The database does not answer.") from None

    def close(self, timeout: float) -> None:
        """Let the threads end; calls that were given up have `timeout` seconds left to give their connection back."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
            wait(set(self._running), timeout)

    def after_fork(self) -> None:
        """Forget the threads of the parent: they do not exist in this process."""
        self._lock = threading.Lock()
        self._executor = None
        self._running = set()

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")
            return self._executor
