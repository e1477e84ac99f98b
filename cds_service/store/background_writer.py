"""A bounded queue and the one thread that empties it. What waits is kept while the database is away.

It knows nothing of SQL: it is given the function that writes a batch.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from cds_service.errors import StoreUnavailable

_Item = TypeVar("_Item")
_BATCH = 100
_log = logging.getLogger(__name__)


class BackgroundWriter(Generic[_Item]):
    """Writes items in the order they came, in a daemon thread that starts with the first item of a process."""

    def __init__(self, write: Callable[[Sequence[_Item]], None], *, size: int, retry_seconds: float = 0.5) -> None:
        self._write = write
        self._size = size
        self._retry_seconds = retry_seconds
        self.dropped = 0
        self._changed = threading.Condition()
        self._waiting: deque[_Item] = deque()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, item: _Item) -> bool:
        """Queue an item and return at once; False where the queue was full and the item was dropped."""
        with self._changed:
            if self._closed or len(self._waiting) >= self._size:
                self._count_dropped(1)
                return False
            self._waiting.append(item)
            self._start()
            self._changed.notify_all()
        return True

    def flush(self, timeout: float) -> bool:
        """Wait until nothing is left to write; False where it took longer than `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout)

    def close(self, timeout: float) -> bool:
        """As `flush`; then the thread ends and nothing more is taken."""
        flushed = self.flush(timeout)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return flushed

    def after_fork(self) -> None:
        """The thread stayed in the parent, which also writes what was waiting there."""
        self._changed = threading.Condition()
        self._waiting = deque()
        self._thread = None
        self._closed = False

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="served-cards", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while batch := self._next_batch():
            written = self._written(batch)
            with self._changed:
                for _ in range(written):
                    self._waiting.popleft()
                self._changed.notify_all()
            if not written:
                time.sleep(self._retry_seconds)

    def _next_batch(self) -> Sequence[_Item]:
        """Items leave the queue only once written, so its size bounds all that is held. Empty: it was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return [] if self._closed else list(islice(self._waiting, _BATCH))

    def _written(self, batch: Sequence[_Item]) -> int:
        """Return how many items are done with: all, or none where the database is away."""
        try:
            self._write(batch)
            return len(batch)
        except StoreUnavailable as error:
            _log.warning("served_cards_not_written", extra={"reason": str(error), "waiting": len(batch)})
            return 0
        except Exception:  # noqa: BLE001 - one item that cannot be written must not stop those behind it
            return self._written_one_by_one(batch)

    def _written_one_by_one(self, batch: Sequence[_Item]) -> int:
        for done, item in enumerate(batch):
            try:
                self._write([item])
            except StoreUnavailable:
                return done
            except Exception as error:  # noqa: BLE001 - as above; the message could quote a value, so only its kind is logged
                _log.error("served_card_unwritable", extra={"reason": type(error).__name__})
                with self._changed:
                    self._count_dropped(1)
        return len(batch)

    def _count_dropped(self, items: int) -> None:
        self.dropped += items
        if self.dropped % 100 == 1:
            _log.error("served_cards_dropped", extra={"dropped": self.dropped})
