"""The FHIR client against a server that answers well, badly, slowly or not at all."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service.application.hook_request import FhirAccess
from cds_service.fhir.client import FhirClient, ReadResult, Server, shared_executor
from tests.unit.fhir.samples import PATIENT, bundle, count, outcome

SECONDS = 3.0


def access(server: HTTPServer, *, token: str | None = None, slash: bool = False) -> FhirAccess:
    return FhirAccess(server.url_for("/fhir") + ("/" if slash else ""), token)


def read_one(
    server: HTTPServer, query: str = "Observation?patient=p1", *, client: FhirClient | None = None
) -> ReadResult:
    return (client or FhirClient()).read_all(access(server), {"q": query}, seconds=SECONDS)["q"]


@pytest.mark.parametrize("slash", [True, False])
def test_reads_below_the_base_url(httpserver: HTTPServer, slash: bool) -> None:
    httpserver.expect_ordered_request("/fhir/Patient/p1", method="GET").respond_with_json(PATIENT)
    results = FhirClient().read_all(access(httpserver, slash=slash), {"patient": "Patient/p1"}, seconds=SECONDS)
    assert (results["patient"].pages, results["patient"].reason) == ([PATIENT], None)


def test_shows_the_token_and_asks_for_fhir(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT)
    FhirClient().read_all(access(httpserver, token="t0ken"), {"q": "Patient/p1"}, seconds=SECONDS)
    headers = httpserver.log[0][0].headers
    assert (headers["Authorization"], headers["Accept"]) == ("Bearer t0ken", "application/fhir+json")


def test_shows_no_token_where_there_is_none(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT)
    read_one(httpserver, "Patient/p1")
    assert "Authorization" not in httpserver.log[0][0].headers


def test_keeps_no_cookies_between_calls(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT, headers={"Set-Cookie": "session=1"})
    client = FhirClient()
    for _ in range(2):
        read_one(httpserver, "Patient/p1", client=client)
    assert "Cookie" not in httpserver.log[1][0].headers


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (500, "the FHIR server answered 500"),
        (400, "the FHIR server answered 400"),
        (401, "not permitted (401)"),
        (403, "not permitted (403)"),
        (404, "the FHIR server answered 404"),
        (304, "redirect refused"),
    ],
)
def test_says_in_short_why_a_read_failed(httpserver: HTTPServer, status: int, reason: str) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(outcome("error"), status=status)
    result = read_one(httpserver)
    assert (result.pages, result.reason) == ([], reason)


@pytest.mark.parametrize("status", [404, 410])
def test_tells_that_a_resource_is_not_there(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/fhir/Patient/p1").respond_with_data("", status=status)
    assert read_one(httpserver, "Patient/p1").absent


def test_follows_no_redirect(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data(
        "", 302, {"Location": httpserver.url_for("/secret")}
    )
    assert read_one(httpserver).reason == "redirect refused"
    assert [request.path for request, _ in httpserver.log] == ["/fhir/Observation"]


@pytest.mark.parametrize("body", ["<html>", "{", "", '{"a": NaN}'])
def test_refuses_what_is_no_json(httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data(body)
    assert read_one(httpserver).reason == "the FHIR server's answer was not JSON"


def test_reads_no_more_than_the_largest_body(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_data(json.dumps("x" * 200_000))
    result = read_one(httpserver, client=FhirClient(largest_body=100_000))
    assert (result.pages, result.reason) == ([], "the answer was too large")


def test_unpacks_compressed_bodies_within_the_limit(httpserver: HTTPServer) -> None:
    packed = gzip.compress(json.dumps("x" * 5_000_000).encode())
    httpserver.expect_request("/fhir/Observation").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    assert read_one(httpserver, client=FhirClient(largest_body=100_000)).reason == "the answer was too large"
    assert read_one(httpserver).reason is None


def test_follows_pages_to_the_last(httpserver: HTTPServer) -> None:
    third = bundle(count("c"))
    second = bundle(count("b"), next_url=f"{httpserver.url_for('/fhir')}?_getpages=3")
    first = bundle(count("a"), next_url="Observation?page=2")
    httpserver.expect_request("/fhir/Observation", query_string="patient=p1").respond_with_json(first)
    httpserver.expect_request("/fhir/Observation", query_string="page=2").respond_with_json(second)
    httpserver.expect_request("/fhir", query_string="_getpages=3").respond_with_json(third)
    result = read_one(httpserver)
    assert (result.pages, result.reason) == ([first, second, third], None)


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.2:9/fhir/Observation?page=2", "/other/Observation?page=2"])
def test_follows_no_page_to_another_server(httpserver: HTTPServer, elsewhere: str) -> None:
    first = bundle(count("a"), next_url=elsewhere)
    httpserver.expect_request("/fhir/Observation").respond_with_json(first)
    result = read_one(httpserver)
    assert (result.pages, result.reason) == ([first], "the next page lies on another server")
    assert len(httpserver.log) == 1


def test_ends_a_circle_of_pages(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Observation").respond_with_json(bundle(count(), next_url="Observation?patient=p1"))
    assert len(read_one(httpserver).pages) == 1
    assert len(httpserver.log) == 1


def test_reads_only_so_many_pages(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        number = int(request.args.get("page", "1"))
        return Response(json.dumps(bundle(count(), next_url=f"Observation?page={number + 1}")))

    httpserver.expect_request("/fhir/Observation").respond_with_handler(answer)
    result = read_one(httpserver, client=FhirClient(most_pages=3))
    assert (len(result.pages), result.reason) == (3, "not all pages were read")


@pytest.fixture
def threaded_server() -> Iterator[HTTPServer]:
    server = HTTPServer(threaded=True)
    with server:
        yield server


def test_reads_all_queries_at_once(threaded_server: HTTPServer) -> None:
    together = threading.Barrier(4, timeout=SECONDS)

    def answer(_: Request) -> Response:
        together.wait()  # breaks, and the server answers 500, unless all four requests are there at the same time
        return Response(json.dumps(bundle()))

    threaded_server.expect_request("/fhir/Observation").respond_with_handler(answer)
    queries = {str(number): f"Observation?n={number}" for number in range(4)}
    results = FhirClient().read_all(access(threaded_server), queries, seconds=SECONDS)
    assert [result.reason for result in results.values()] == [None] * 4


class Dripping:
    """A server that answers the first request well and then sends one byte at a time for ever."""

    def __init__(self, head: bytes, first: bytes | None = None) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.head, self.first = head, first
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/fhir"

    def _serve(self) -> None:
        self.listener.settimeout(0.05)
        while not self.stop.is_set():
            try:
                connection, _ = self.listener.accept()
            except TimeoutError:
                continue
            with connection:
                self._answer(connection)
        self.listener.close()

    def _answer(self, connection: socket.socket) -> None:
        connection.recv(65536)
        if self.first is not None:
            length = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(self.first)}\r\n\r\n"
            connection.sendall(length.encode() + self.first)
            self.first = None
            return
        try:
            connection.sendall(self.head)
            while not self.stop.wait(0.02):
                connection.sendall(b" ")
        except OSError:
            return

    def close(self) -> None:
        self.stop.set()
        self.thread.join()


@pytest.fixture
def dripping_pages() -> Iterator[Dripping]:
    first = json.dumps(bundle(count(), next_url="Observation?page=2")).encode()
    server = Dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{", first)
    yield server
    server.close()


@pytest.fixture
def dripping_headers() -> Iterator[Dripping]:
    server = Dripping(b"HTTP/1.1 200 OK\r\nX: ")
    yield server
    server.close()


def test_gives_what_is_there_when_the_time_is_up(dripping_pages: Dripping) -> None:
    started = time.monotonic()
    result = FhirClient().read_all(FhirAccess(dripping_pages.base), {"q": "Observation"}, seconds=0.4)["q"]
    assert time.monotonic() - started < SECONDS
    assert (len(result.pages), result.reason) == (1, "no answer in time")


def test_waits_for_no_header_that_never_ends(dripping_headers: Dripping) -> None:
    started = time.monotonic()
    result = FhirClient().read_all(FhirAccess(dripping_headers.base), {"q": "Observation"}, seconds=0.4)["q"]
    assert time.monotonic() - started < SECONDS
    assert (result.pages, result.reason) == ([], "no answer in time")


def test_leaves_no_thread_behind_that_drips(dripping_pages: Dripping) -> None:
    FhirClient().read_all(FhirAccess(dripping_pages.base), {"q": "Observation"}, seconds=0.4)
    finished = shared_executor().submit(lambda: True)
    assert finished.result(timeout=SECONDS)


@pytest.fixture
def breaking_off() -> Iterator[str]:
    """A server that promises more than it sends."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"
    thread.join()
    listener.close()


def test_tells_an_answer_that_broke_off(breaking_off: str) -> None:
    result = FhirClient().read_all(FhirAccess(breaking_off), {"q": "Patient/p1"}, seconds=SECONDS)["q"]
    assert (result.pages, result.reason) == ([], "the FHIR server's answer broke off")


def test_says_that_nobody_answered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = FhirClient().read_all(FhirAccess(f"http://127.0.0.1:{port}/fhir"), {"q": "Patient/p1"}, seconds=SECONDS)
    assert result["q"].reason == "the FHIR server could not be reached"


def test_begins_no_read_when_no_time_is_left(httpserver: HTTPServer) -> None:
    result = FhirClient().read_all(access(httpserver), {"q": "Patient/p1"}, seconds=-1)["q"]
    assert (result.reason, httpserver.log) == ("no answer in time", [])


@pytest.mark.parametrize(
    ("query", "reached"),
    [
        ("Observation?page=2", True),
        ("https://ehr.example/api/fhir/Observation?page=2", True),
        ("https://EHR.example:443/api/fhir?_getpages=x", True),
        ("http://ehr.example/api/fhir/Observation", False),
        ("https://ehr.example:8443/api/fhir/Observation", False),
        ("https://ehr.example.evil.example/api/fhir/Observation", False),
        ("https://ehr.example@evil.example/api/fhir/Observation", False),
        ("https://user@ehr.example/api/fhir/Observation", False),
        ("https://ehr.example/api/fhirs/Observation", False),
        ("https://ehr.example/api/fhir/../admin", False),
        ("https://ehr.example/api/fhir/%2e%2e/admin", False),
        ("../../admin", False),
        ("//evil.example/api/fhir/Observation", False),
        ("file:///etc/passwd", False),
        ("https://ehr.example:port/api/fhir/Observation", False),
        ("https://[ehr.example/api/fhir/Observation", False),
    ],
)
def test_stays_below_the_base(query: str, reached: bool) -> None:
    assert Server.of(FhirAccess("https://ehr.example/api/fhir/")).reaches(query) is reached


def test_hides_the_token_from_representations() -> None:
    shown: Any = Server.of(FhirAccess("https://ehr.example/fhir", "s3cret"))
    assert "s3cret" not in repr(shown)
