"""What operators see: JSON log lines from an allow-list of keys, and Prometheus metrics.

No patient data: log messages are fixed event names, values stand only under the keys listed here, and labels are ids of
ours. A traceback is reduced to the kind of exception and its place, because its words may hold what was being read.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector
from pythonjsonlogger.json import JsonFormatter

from cds_service.application.hook_request import HookRequest
from cds_service.application.ports import ChartReader, ReadChart
from cds_service.clinical.cards import HookAnswer

LOG_KEYS = frozenset(
    {
        "timestamp",
        "level",
        "logger",
        "message",
        "hookInstance",
        "service",
        "method",
        "route",
        "status",
        "ms",
        "cards",
        "issuer",
        "tenant",
        "reason",
        "error",
        "where",
        "rule",
        "count",
        "dropped",
        "waiting",
        "resource_type",
        "address",
        "workers",
        "knowledgeVersion",
    }
)
"""Whatever else a log call passes is dropped."""

METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
_OUR_LOGGERS = "cds_service"
_SERVER_LOGGER = "gunicorn.error"

disable_created_metrics()  # type: ignore[no-untyped-call]


class AllowListFormatter(JsonFormatter):
    """One JSON object a line, with the keys of LOG_KEYS only."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in log_data.items() if key in LOG_KEYS and value is not None}

    def format(self, record: logging.LogRecord) -> str:
        return super().format(_harmless(record))


def _harmless(record: logging.LogRecord) -> logging.LogRecord:
    """A copy whose message holds no values: those of libraries may be URLs with ids, or rows of the database."""
    copy = logging.makeLogRecord(vars(record))
    starting_up = record.name == _SERVER_LOGGER and record.levelno <= logging.INFO
    copy.msg = record.getMessage() if starting_up else str(record.msg)
    copy.args = None
    if record.exc_info and record.exc_info[1] is not None:
        copy.error = type(record.exc_info[1]).__name__
        copy.where = where_raised(record.exc_info[1])
    copy.exc_info, copy.exc_text, copy.stack_info = None, None, None
    return copy


def where_raised(error: BaseException) -> str:
    """File, line and function where an exception began, without its words."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno} {frames[-1].name}"


def configure_logging(level: str) -> None:
    """Send all logs to stderr as JSON. Libraries are heard from WARNING on: their details name URLs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger(_OUR_LOGGERS).setLevel(level)


def _formatter() -> logging.Formatter:
    formatter = AllowListFormatter(
        "{asctime}{levelname}{name}{message}",
        style="{",
        datefmt="%Y-%m-%dT%H:%M:%SZ",
        rename_fields={"asctime": "timestamp", "levelname": "level", "name": "logger"},
    )
    formatter.converter = time.gmtime
    return formatter


def loggable_hook_instance(hook_instance: str) -> str:
    """A hookInstance that is no UUID may hold anything, also a name."""
    return hook_instance if _UUID.fullmatch(hook_instance) else "not a UUID"


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "cds_requests", "Calls by service and HTTP status.", ["service", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "cds_request_seconds", "Seconds to answer a call.", ["service"], buckets=_SECONDS, registry=self.registry
        )
        self._cards = Counter(
            "cds_cards", "Cards shown by rule and indicator.", ["rule", "indicator"], registry=self.registry
        )
        self._unknown = Counter(
            "cds_rules_unknown", "Rules that could not be decided for want of data.", ["rule"], registry=self.registry
        )
        self._fhir = Counter(
            "cds_fhir_failures", "Reads of a client's FHIR server that failed.", ["key"], registry=self.registry
        )

    def request_answered(self, service: str, status: int, seconds: float) -> None:
        self._requests.labels(service, str(status)).inc()
        self._seconds.labels(service).observe(seconds)

    def cards_shown(self, answer: HookAnswer) -> None:
        for card in answer.cards:
            for rule in card.rules:
                self._cards.labels(rule.id, card.indicator.value).inc()
        for verdict in answer.evaluation.rules:
            if verdict.outcome == "unknown":
                self._unknown.labels(verdict.id).inc()

    def fhir_failed(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._fhir.labels(key).inc()

    def text(self) -> bytes:
        """The metrics of all workers in the text format of Prometheus."""
        if _MULTIPROCESS_DIRECTORY not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


@dataclass(frozen=True, slots=True)
class CountedReads:
    """A ChartReader that counts what could not be read although a FHIR server was there to be asked."""

    reader: ChartReader
    metrics: Metrics

    def read(
        self, request: HookRequest, templates: Mapping[str, str], *, now: datetime, deadline: datetime
    ) -> ReadChart:
        read = self.reader.read(request, templates, now=now, deadline=deadline)
        if request.fhir is not None:
            self.metrics.fhir_failed(read.chart.unavailable)
        return read


def share_metrics(directory: Path) -> None:
    """Let all workers count into one directory. To be called before Metrics is made."""
    os.environ[_MULTIPROCESS_DIRECTORY] = str(directory)
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
