"""Reads from the FHIR server of a hook call: in parallel, page by page, never beyond its time or its base URL.

Returns parsed bodies as they came; what they mean is read elsewhere. Tokens and URLs are in no message.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter

from cds_service.application.hook_request import FhirAccess
from cds_service.fhir.arrivals import ONLY_FIRST_PAGE, read_arrival

CONNECTIONS = 64
CHUNK = 1 << 16
LARGEST_BODY = 16 << 20
MOST_PAGES = 20
SHORTEST_WAIT = 0.05
"""Seconds below which a call is not begun."""

TOO_LATE = "no answer in time"
DEFAULT_PORTS = {"http": 80, "https": 443}

_executors: dict[int, ThreadPoolExecutor] = {}
_executors_lock = Lock()


def shared_executor() -> ThreadPoolExecutor:
    """The pool of this process. Made on first use: threads do not survive a fork."""
    with _executors_lock:
        if os.getpid() not in _executors:
            _executors[os.getpid()] = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="fhir-read")
        return _executors[os.getpid()]


class ReadFailed(Exception):
    """A read gave no usable answer; the message says why, without ids."""


@dataclass(slots=True)
class ReadResult:
    """The pages of one read so far. `reason` says why they are not all; `done` only when the read came to its end."""

    pages: list[Any] = field(default_factory=list)
    reason: str | None = TOO_LATE
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """One FHIR base URL and the headers for it."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, access: FhirAccess) -> Server:
        headers = {"Accept": "application/fhir+json", "Accept-Encoding": "gzip, deflate"}
        if access.token:
            headers["Authorization"] = f"Bearer {access.token}"
        return cls(access.base_url.rstrip("/"), headers)

    def reaches(self, query: str) -> bool:
        """True where a query or `next` link stays below the base."""
        try:
            return self._is_below_base(urljoin(f"{self.base_url}/", query))
        except ValueError:  # not a URL
            return False

    def url_of(self, query: str) -> str:
        """The absolute URL of a relative query, or of a `next` link. Raises: ReadFailed where it leaves the base."""
        if not self.reaches(query):
            raise ReadFailed("the next page lies on another server")
        return urljoin(f"{self.base_url}/", query)

    def _is_below_base(self, url: str) -> bool:
        base, other = urlsplit(self.base_url), urlsplit(url)
        path, root = unquote(other.path), base.path.rstrip("/")
        below = path.rstrip("/") == root or path.startswith(f"{root}/")
        return _origin(base) == _origin(other) and below and ".." not in path.split("/") and "@" not in other.netloc


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or DEFAULT_PORTS.get(url.scheme)


class FhirClient:
    """GETs of one or many FHIR servers over one pool of connections. Safe to share between threads."""

    def __init__(self, *, largest_body: int = LARGEST_BODY, most_pages: int = MOST_PAGES) -> None:
        self._largest_body = largest_body
        self._most_pages = most_pages
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies, no .netrc credentials
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # no state between patients
        adapter = HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def read_all(self, access: FhirAccess, queries: Mapping[str, str], *, seconds: float) -> dict[str, ReadResult]:
        """Run all queries at once and return what arrived within `seconds`, by the names of the queries.

        A query is relative to the base, or the absolute `next` link of a Bundle. What is still running when the time is
        up is left behind; it ends by itself at the same limit and its result is not looked at.
        """
        end = time.monotonic() + seconds
        server = Server.of(access)
        results = {name: ReadResult() for name in queries}
        pool = shared_executor()
        futures = [pool.submit(self._read_pages, server, query, end, results[name]) for name, query in queries.items()]
        _, unfinished = wait(futures, timeout=max(seconds, 0))
        for future in unfinished:
            future.cancel()
        return {name: ReadResult(list(result.pages), result.reason, result.absent) for name, result in results.items()}

    def _read_pages(self, server: Server, query: str, end: float, result: ReadResult) -> None:
        """Fill `result` page by page, so that what came before the end is kept."""
        try:
            following: str | None = query
            seen: set[str] = set()
            while following is not None:
                url = server.url_of(following)
                if url in seen or len(seen) >= self._most_pages:
                    raise ReadFailed(ONLY_FIRST_PAGE if len(seen) == 1 else "not all pages were read")
                seen.add(url)
                page = self._get(server, url, end)
                result.pages.append(page)
                following = read_arrival(page).next_url
            result.reason = None
        except ReadFailed as failure:
            result.reason = str(failure)
            result.absent = isinstance(failure, NotThere) and not result.pages

    def _get(self, server: Server, url: str, end: float) -> object:
        remaining = end - time.monotonic()
        if remaining < SHORTEST_WAIT:
            raise ReadFailed(TOO_LATE)
        try:
            response = self._session.get(
                url, headers=dict(server.headers), timeout=remaining, allow_redirects=False, stream=True
            )
        except requests.Timeout as error:
            raise ReadFailed(TOO_LATE) from error
        except (requests.RequestException, OSError, ValueError) as error:
            raise ReadFailed("the FHIR server could not be reached") from error
        with response:
            check_status(response.status_code)
            return parse_body(self._body_of(response, end))

    def _body_of(self, response: requests.Response, end: float) -> bytes:
        """The body, read as it comes: a server that drips bytes reaches the end of its time all the same."""
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > self._largest_body:
                    raise ReadFailed("the answer was too large")
                if time.monotonic() > end:
                    raise ReadFailed(TOO_LATE)
        except ReadFailed:
            raise
        except Exception as error:  # urllib3 and http.client raise many kinds while a body is read
            raise ReadFailed("the FHIR server's answer broke off") from error
        return bytes(body)


class NotThere(ReadFailed):
    """The FHIR server says that there is no such resource."""


def check_status(status: int) -> None:
    """Raises: NotThere for 404 and 410, ReadFailed for everything else that is not 2xx."""
    if status in (404, 410):
        raise NotThere(f"the FHIR server answered {status}")
    if status in (401, 403):
        raise ReadFailed(f"not permitted ({status})")
    if 300 <= status < 400:
        raise ReadFailed("redirect refused")
    if not 200 <= status < 300:
        raise ReadFailed(f"the FHIR server answered {status}")


def parse_body(body: bytes) -> object:
    """Raises: ReadFailed where it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ReadFailed("the FHIR server's answer was not JSON") from error
