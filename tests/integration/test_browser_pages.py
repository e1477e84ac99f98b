"""The pages for people and the calls of a browser client, in a real Chromium against a really running server."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright
from pytest_httpserver import HTTPServer
from werkzeug.serving import make_server

from cds_service.app import create_app, read_feedback_report
from cds_service.demo.demo_patients import load_patients
from cds_service.settings import Settings

pytestmark = pytest.mark.browser

PHONE, DESKTOP = 360, 1280
PATHS = ("/", "/guidelines", "/guidelines/febrile-neutropenia")
PATIENT_VIEW = "/cds-services/leukopenia-patient-view"
# No call home, and no GPU; a container's root may not use Chromium's own sandbox.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CLIENT_PAGE = """<!doctype html><html lang="en"><head><title>A CDS client</title><link rel="icon" href="data:,"></head>
<body><script>
async function call(url, body) {
  const headers = {"Accept": "application/json", "Authorization": "Bearer a.b.c"};
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(url, {method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body)});
  return {status: answer.status, body: await answer.json()};
}
async function visit(base, request) {
  const discovery = await call(base + "/cds-services");
  const service = discovery.body.services.find(found => found.hook === request.hook);
  const url = base + "/cds-services/" + service.id;
  const answer = await call(url, request);
  const card = answer.body.cards[0];
  const accepted = {card: card.uuid, outcome: "accepted", outcomeTimestamp: new Date().toISOString(),
                    acceptedSuggestions: [{id: card.suggestions[0].uuid}]};
  const feedback = await call(url + "/feedback", {feedback: [accepted]});
  return {discovery, answer, feedback};
}
</script></body></html>"""
# The contrast of every element's own text with what lies behind it (WCAG 2, relative luminance).
LOW_CONTRAST = """() => {
  const probe = document.createElement("i");
  probe.style.backgroundColor = "Canvas";
  document.body.append(probe);
  const canvas = getComputedStyle(probe).backgroundColor;
  probe.remove();
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = colour => parts(colour).slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => !e ? canvas : (parts(getComputedStyle(e).backgroundColor)[3] === 0) ? behind(e.parentElement)
    : getComputedStyle(e).backgroundColor;
  return [...document.body.querySelectorAll("*")]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => {
      const [a, b] = [luminance(getComputedStyle(e).color), luminance(behind(e))].sort((x, y) => y - x);
      return [e.tagName + " " + e.textContent.trim().slice(0, 30), (a + 0.05) / (b + 0.05)];
    })
    .filter(([, contrast]) => contrast < 4.5);
}"""


@dataclass
class Site:
    """The running service, and the calls it got: method, path, origin."""

    base: str
    settings: Settings
    calls: list[tuple[str, str, str]] = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def recorded(application: Callable[..., Any], calls: list[tuple[str, str, str]]) -> Callable[..., Any]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        calls.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_ORIGIN", "")))
        return application(environ, start_response)

    return answer


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, make_httpserver: HTTPServer) -> Iterator[Site]:
    """The service with its start page, open to the origin of the client page only."""
    folder: Path = tmp_path_factory.mktemp("data")
    port = free_port()
    settings = Settings(
        public_url=f"http://127.0.0.1:{port}",
        auth="off",
        playground=True,
        cors_origins=(allowed_origin(make_httpserver),),
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'cds.sqlite3'}",
    )
    application = create_app(settings)
    found = Site(settings.public_url, settings)
    application.wsgi_app = recorded(application.wsgi_app, found.calls)  # type: ignore[method-assign]
    server = make_server("127.0.0.1", port, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    thread.join(10)
    server.server_close()


def allowed_origin(clients: HTTPServer) -> str:
    return f"http://localhost:{clients.port}"


def other_origin(clients: HTTPServer) -> str:
    """The same page under its other name: to a browser that is another origin."""
    return f"http://127.0.0.1:{clients.port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


def failure(request: Request) -> list[str]:
    """What failed; an icon that was still loading when the next page was opened did not."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.failure}: {request.url}"]


@contextmanager
def opened(
    browser: Browser, url: str, *, width: int = DESKTOP, scheme: Any = "light"
) -> Iterator[tuple[Page, list[str]]]:
    """The page, and everything the browser complained about."""
    context: BrowserContext = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.extend(failure(request)))
    page.on(
        "response", lambda answer: complaints.append(f"{answer.status}: {answer.url}") if answer.status > 399 else None
    )
    page.goto(url)
    yield page, complaints
    context.close()


def too_wide(page: Page) -> int:
    """By how many pixels the page is wider than its window, with everything unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach(found => { found.open = true })")
    pixels: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_renders_under_its_policy_at_every_width_and_colour_scheme(
    site: Site, browser: Browser, path: str, width: int, scheme: str
) -> None:
    with opened(browser, site.base + path, width=width, scheme=scheme) as (page, complaints):
        page.wait_for_load_state("networkidle")
        assert complaints == []
        assert page.evaluate("document.styleSheets[0].cssRules.length") > 10
        assert page.evaluate("getComputedStyle(document.querySelector('header')).display") == "flex"
        assert too_wide(page) == 0
        assert page.evaluate(LOW_CONTRAST) == []


def test_the_policy_of_a_page_stops_a_script(site: Site, browser: Browser) -> None:
    with opened(browser, site.base + "/guidelines") as (page, complaints):
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))"
        )
        assert page.title() == "Rules · Leukopenia CDS"
        assert any("Content Security Policy" in complaint for complaint in complaints)


def test_dark_is_dark(site: Site, browser: Browser) -> None:
    ink = {}
    for scheme in ("light", "dark"):
        with opened(browser, site.base + "/guidelines", scheme=scheme) as (page, _):
            ink[scheme] = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert ink == {"light": "rgb(0, 0, 0)", "dark": "rgb(255, 255, 255)"}


@pytest.mark.parametrize("path", PATHS)
def test_headings_are_in_order(site: Site, browser: Browser, path: str) -> None:
    with opened(browser, site.base + path) as (page, _):
        found = page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => [+h.tagName[1], h.innerText])"
        )
        assert page.evaluate("document.documentElement.lang") == "en"
    levels = [level for level, _ in found]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(text.strip() for _, text in found)


def links(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('a')].map(link => link.href)")
    return found


def test_every_link_of_the_site_leads_somewhere_and_every_rule_fits_a_phone(site: Site, browser: Browser) -> None:
    with opened(browser, site.base + "/", width=PHONE) as (page, complaints):
        waiting, seen = [page.url], set[str]()
        while waiting:
            url = waiting.pop()
            seen.add(url)
            answer = page.goto(url)
            assert answer is not None
            assert answer.status == 200, url
            if answer.headers["content-type"].startswith("text/html"):
                assert too_wide(page) == 0, url
                found = set(links(page))
                assert all(link.startswith((site.base, "https://")) for link in found), url
                waiting += [link for link in found if link.startswith(site.base) and link not in {*seen, *waiting}]
    assert complaints == []
    paths = {url.removeprefix(site.base) for url in seen}
    assert {"/", "/cds-services", "/guidelines", "/openapi.json", "/readyz"} <= paths
    assert len([path for path in paths if path.startswith("/guidelines/")]) >= 13


def test_a_person_finds_the_way_from_the_start_page_to_a_rule_and_back(site: Site, browser: Browser) -> None:
    with opened(browser, site.base + "/") as (page, complaints):
        page.get_by_role("link", name="/guidelines").click()
        page.get_by_role("link", name="Fever or infection sign with ANC below 1.0", exact=True).click()
        page.wait_for_url("**/guidelines/febrile-neutropenia")
        page.get_by_text("The conditions as the engine reads them").click()
        assert page.locator("details pre").first.is_visible()
        page.get_by_role("link", name="All rules").click()
        page.wait_for_url("**/guidelines")
        assert complaints == []


def test_the_conditions_of_a_rule_name_every_level_in_their_order(site: Site, browser: Browser) -> None:
    with opened(browser, site.base + "/guidelines/anc-severe") as (page, _):
        page.get_by_text("The conditions as the engine reads them").click()
        labels, texts = page.locator("details dt").all_inner_texts(), page.locator("details dd").all_inner_texts()
    assert labels == ["fires where", "critical where", "warning where", "otherwise"]
    assert texts[-1] == "critical"


def hook_request() -> dict[str, Any]:
    """A patient-view call with the chart of the patient who has a fever after chemotherapy, dated from now."""
    patient = next(found for found in load_patients(datetime.now(UTC)) if found.id == "demo-febrile")
    kinds = {
        "cellCounts": "Observation",
        "vitalSigns": "Observation",
        "conditions": "Condition",
        "medicationRequests": "MedicationRequest",
        "medicationAdministrations": "MedicationAdministration",
        "procedures": "Procedure",
        "serviceRequests": "ServiceRequest",
        "allergies": "AllergyIntolerance",
    }
    return {
        "hook": "patient-view",
        "hookInstance": "5b2c1f6e-7a43-4c1f-9a52-6d1b0f3f8e21",
        "context": {"userId": "Practitioner/1", "patientId": patient.id},
        "prefetch": {
            "patient": next(r for r in patient.resources if r["resourceType"] == "Patient"),
            **{
                key: searchset([r for r in patient.resources if r["resourceType"] == kind])
                for key, kind in kinds.items()
            },
        },
    }


def searchset(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


@pytest.fixture
def client_page(httpserver: HTTPServer) -> str:
    """The path of a small CDS client that lives elsewhere than the service."""
    httpserver.expect_request("/client.html").respond_with_data(CLIENT_PAGE, content_type="text/html")
    return "/client.html"


VISIT = "([base, request]) => visit(base, request)"


def test_a_client_page_of_an_allowed_origin_discovers_calls_and_answers(
    site: Site, browser: Browser, httpserver: HTTPServer, client_page: str
) -> None:
    origin = allowed_origin(httpserver)
    with opened(browser, origin + client_page) as (page, complaints):
        visit = page.evaluate(VISIT, [site.base, hook_request()])
        assert complaints == []
    assert [visit[step]["status"] for step in ("discovery", "answer", "feedback")] == [200, 200, 200]
    card = visit["answer"]["body"]["cards"][0]
    assert card["indicator"] == "critical"
    assert "0.3" in card["summary"]
    asked = [(method, path) for method, path, of in site.calls if of == origin]
    for method, path in (("GET", "/cds-services"), ("POST", PATIENT_VIEW), ("POST", f"{PATIENT_VIEW}/feedback")):
        assert asked.index(("OPTIONS", path)) < asked.index((method, path))
    report = {row["rule"]: row for row in read_feedback_report(site.settings)["rules"]}
    assert report["febrile-neutropenia"]["accepted"] == 1


def test_a_client_page_of_another_origin_learns_nothing(
    site: Site, browser: Browser, httpserver: HTTPServer, client_page: str
) -> None:
    origin = other_origin(httpserver)
    with opened(browser, origin + client_page) as (page, complaints):
        outcome = page.evaluate(f"call => ({VISIT})(call).then(() => 'answered', error => error.name)", [site.base, {}])
        assert outcome == "TypeError"
        assert any("CORS policy" in complaint for complaint in complaints)
    assert {method for method, _, of in site.calls if of == origin} == {"OPTIONS"}
