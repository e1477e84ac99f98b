"""The production server: gunicorn with threads, or waitress where processes cannot fork.

The application is made before the workers fork, so that a wrong setting or rule stops the start and not each worker.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.errors import SettingsError
from cds_service.observability import configure_logging, share_metrics, where_raised
from cds_service.settings import Settings, check_bind
from cds_service.web.problems import HTTP_TABLE, UNEXPECTED, Problem, operation_outcome

if TYPE_CHECKING:
    from flask import Flask

MOST_DEFAULT_WORKERS = 4
THREADS = 8
"""Per worker. A call waits mostly for the client's FHIR server."""

BACKLOG = 512
_GRACE_SECONDS = 10
_UNREADABLE_STATUS = {
    "LimitRequestLine": 414,
    "ExpectationFailed": 417,
    "LimitRequestHeaders": 431,
    "UnsupportedTransferCoding": 501,
}
"""By the name of gunicorn's error; its other errors of reading are 400."""

_OUR_FAULT = frozenset({"ConfigurationProblem", "InvalidResponseHeader", "InvalidResponseHeaderName"})
_log = logging.getLogger(__name__)


def serve(settings: Settings, make: Callable[[Settings], Flask], *, host: str, port: int, workers: int | None) -> None:
    """Serve until told to stop. `make` builds the application, once.

    Raises: SettingsError where the address is refused or taken, and whatever `make` raises.
    """
    check_bind(settings, host)
    processes = (workers or default_workers()) if hasattr(os, "fork") else 1
    with listening_socket(host, port) as listener, shared_metrics(processes):
        configure_logging(settings.log_level)
        application = make(settings)
        _log.info("starting", extra={"address": f"{host}:{listener.getsockname()[1]}", "workers": processes})
        run = _run_gunicorn if hasattr(os, "fork") else _run_waitress
        run(application, listener, processes)


def default_workers() -> int:
    """One for each processor, within reason."""
    return max(1, min(os.cpu_count() or 1, MOST_DEFAULT_WORKERS))


@contextmanager
def listening_socket(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens; taken before the slow part of the start, so that a busy port is told at once.

    Raises: SettingsError.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise SettingsError(f"--host: cannot listen on {host} ({problem.strerror}).") from problem
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as problem:
            raise SettingsError(
                f"--port: cannot listen on {host}:{port} ({problem.strerror}). Choose another with --port."
            ) from problem
        yield listener


@contextmanager
def shared_metrics(workers: int) -> Iterator[None]:
    """Workers count into one directory, which goes with the process that made it, not with a worker."""
    if workers == 1:
        yield
        return
    directory = Path(tempfile.mkdtemp(prefix="cds-service-metrics-"))
    maker = os.getpid()
    share_metrics(directory)
    try:
        yield
    finally:
        if os.getpid() == maker:
            shutil.rmtree(directory, ignore_errors=True)


def gunicorn_options(descriptor: int, workers: int) -> dict[str, Any]:
    """Our settings of gunicorn, which takes the listening socket over. Nothing is to be steered from outside."""
    return {
        "bind": f"fd://{descriptor}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": THREADS,
        "preload_app": True,
        "keepalive": 30,
        "timeout": 60,
        "graceful_timeout": _GRACE_SECONDS,
        "backlog": BACKLOG,
        "accesslog": None,
        "control_socket_disable": True,
    }


def _run_gunicorn(application: Flask, listener: socket.socket, workers: int) -> None:
    from gunicorn.app.base import BaseApplication
    from gunicorn.glogging import Logger
    from gunicorn.http.wsgi import Response
    from prometheus_client.multiprocess import mark_process_dead

    def forget_worker(_arbiter: Any, worker: Any) -> None:
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]

    class QuietLogger(Logger):
        """Hands gunicorn's messages to our log, in our format."""

        def setup(self, cfg: Any) -> None:
            super().setup(cfg)
            self.error_log.handlers[:] = []
            self.error_log.propagate = True

    class Server(BaseApplication):
        """gunicorn without its command line and its configuration files."""

        def load_config(self) -> None:
            known = self.cfg.settings
            for name, value in options.items():
                if name in known:
                    self.cfg.set(name, value)
            self.cfg.set("logger_class", QuietLogger)
            self.cfg.set("worker_class", _discreet_worker())
            if workers > 1:
                self.cfg.set("child_exit", forget_worker)

        def load(self) -> Any:
            return application

    options = gunicorn_options(listener.detach(), workers)
    _leave_out_banner(Response)
    Server().run()


def _discreet_worker() -> type:
    """gunicorn's worker with threads, with our answer to what it cannot read."""
    from gunicorn.util import write_nonblock
    from gunicorn.workers.gthread import ThreadWorker

    class DiscreetWorker(ThreadWorker):
        """Neither logs nor sends back what it could not read: a malformed header may hold a token."""

        def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
            answer = refuse_unreadable(exc)
            with suppress(OSError):
                write_nonblock(client, answer)

    return DiscreetWorker


def refuse_unreadable(error: BaseException) -> bytes:
    """Log what kind of error kept gunicorn from reading a request, and give the whole HTTP answer to it."""
    problem = _problem_of_reading(error)
    level = logging.ERROR if problem is UNEXPECTED else logging.WARNING
    facts = {"status": problem.status, "error": type(error).__name__, "where": where_raised(error)}
    _log.log(level, "request_unreadable", extra=facts)
    body = operation_outcome(problem).get_data()
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + body


def _problem_of_reading(error: BaseException) -> Problem:
    from gunicorn.http.errors import ParseException

    kind = type(error).__name__
    if not isinstance(error, ParseException) or kind in _OUR_FAULT:
        return UNEXPECTED
    status = _UNREADABLE_STATUS.get(kind, 400)
    return HTTP_TABLE.get(status) or Problem(status, "invalid", HTTP_TABLE[400].says)


def _leave_out_banner(response: Any) -> None:
    """gunicorn has no setting for it: drop the Server header from those that it adds to each response."""
    default_headers = response.default_headers

    def without_banner(self: Any) -> list[str]:
        return [line for line in default_headers(self) if not line.startswith("Server:")]

    response.default_headers = without_banner


def _run_waitress(application: Flask, listener: socket.socket, _workers: int) -> None:
    import waitress
    from waitress.channel import HTTPChannel
    from waitress.task import ErrorTask

    class DiscreetErrorTask(ErrorTask):
        """Does not send back what could not be read."""

        def execute(self) -> None:
            request: Any = self.request
            request.error.body = HTTP_TABLE[400].says
            super().execute()

    HTTPChannel.error_task_class = DiscreetErrorTask
    waitress.serve(application, sockets=[listener], threads=THREADS, ident=None)
