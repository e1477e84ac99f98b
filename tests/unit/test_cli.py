"""The command line: exit codes 0, 1 and 2, one clear line on stderr, never a traceback (CONTRACT section 1)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from cds_service.card_files.library import shipped_cards_dir
from cds_service.cli import main

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-01-01"}
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
KEYS = (
    "cellCounts labResults vitalSigns conditions medicationRequests medicationAdministrations procedures "
    "serviceRequests allergies"
)


def observation(anc: float, when: str = "2026-11-22T10:00:00Z") -> dict:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": when,
        "valueQuantity": {"value": anc, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"},
    }


def bundle(*resources: dict) -> dict:
    return {**EMPTY, "total": len(resources), "entry": [{"resource": resource} for resource in resources]}


def hook_request(**prefetch) -> dict:
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p1"},
        "prefetch": {"patient": PATIENT, **dict.fromkeys(KEYS.split(), EMPTY), **prefetch},
    }


@pytest.fixture(autouse=True)
def plain_settings(monkeypatch, tmp_path):
    """No setting of this machine reaches the tests."""
    import os

    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CDS_DATA_DIR", str(tmp_path / "var"))


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=stdin)


def check_wrong_use(result: Result, words: str, code: int = 2) -> None:
    """The exit code, one line, no traceback."""
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)


def test_lists_the_rules():
    result = run("cards", "list")
    assert result.exit_code == 0
    assert "febrile-neutropenia" in result.stdout
    assert "cds-service cards show ID" in result.stdout
    rows = json.loads(run("cards", "list", "--json").stdout)
    assert {"id", "version", "status", "area", "hooks", "levels", "title"} == set(rows[0])


def test_shows_a_rule():
    result = run("cards", "show", "anc-severe")
    assert result.exit_code == 0
    assert "anc-severe" in result.stdout
    page = json.loads(run("cards", "show", "anc-severe", "--json").stdout)
    assert page["id"] == "anc-severe"
    assert page["sources"]


def test_rejects_a_rule_that_does_not_exist():
    check_wrong_use(run("cards", "show", "no-such-rule"), "there is no rule 'no-such-rule'")


def test_explains_facts():
    one = run("cards", "explain", "anc")
    assert one.exit_code == 0
    assert "Missing data:" in one.stdout
    assert "febrile" in run("cards", "explain").stdout or "fever" in run("cards", "explain").stdout


def test_rejects_a_fact_that_does_not_exist():
    check_wrong_use(run("cards", "explain", "ank"), "there is no fact 'ank'")


@pytest.fixture
def library(tmp_path, monkeypatch) -> Path:
    """A copy of the shipped library that a test may break."""
    copy = tmp_path / "cards"
    shutil.copytree(shipped_cards_dir(), copy)
    monkeypatch.setenv("CDS_CARDS_DIR", str(copy))
    return copy


def broken(library: Path) -> Path:
    path = next((library / "rules").glob("*/anc-severe.yaml"))
    path.write_text(path.read_text("utf-8").replace("anc_current", "ank_current"), "utf-8")
    return path


def test_lint_names_file_and_fault_and_exits_1(library):
    broken(library)
    for result in (run("cards", "lint"), run("cards", "lint", str(library))):
        assert result.exit_code == 1
        assert "anc-severe.yaml" in result.stdout
        assert "ank_current" in result.stdout


def test_other_commands_say_that_the_library_has_faults(library):
    broken(library)
    check_wrong_use(run("cards", "list"), "anc-severe.yaml", code=1)
    check_wrong_use(run("cards", "test"), "anc-severe.yaml", code=1)


def test_rejects_a_directory_that_is_not_there(tmp_path):
    check_wrong_use(run("cards", "lint", str(tmp_path / "none")), "does not exist")


def test_runs_the_cases_of_a_rule():
    result = run("cards", "test", "anc-severe")
    assert result.exit_code == 0, result.output
    assert "0 failed" in result.stdout


def test_a_failing_case_is_shown_and_exits_1(library):
    cases = next((library / "rules").glob("*/anc-severe.cases.yaml"))
    text = cases.read_text("utf-8")
    cases.write_text(text.replace("indicator: critical", "indicator: warning"), "utf-8")
    result = run("cards", "test", "anc-severe")
    assert result.exit_code == 1
    assert "FAILED" in result.stdout
    assert "Traceback" not in result.output


def test_rejects_cases_of_a_rule_that_does_not_exist():
    result = run("cards", "test", "no-such-rule")
    assert result.exit_code in (1, 2)
    assert "no-such-rule" in result.output
    assert "Traceback" not in result.output


def test_evaluates_a_request_from_a_file_and_from_stdin(tmp_path):
    body = orjson.dumps(hook_request(cellCounts=bundle(observation(0.4))))
    file = tmp_path / "request.json"
    file.write_bytes(body)
    for result in (
        run("evaluate", str(file), "--at", "2026-11-22T15:00:00Z"),
        run("evaluate", "-", "--at", "2026-11-22T15:00:00", stdin=body),
    ):
        assert result.exit_code == 0, result.output
        (card,) = [c for c in json.loads(result.stdout)["cards"] if c["indicator"] == "critical"]
        assert "0.4" in card["summary"]


def test_explains_every_verdict_when_asked():
    body = orjson.dumps(hook_request(cellCounts=bundle(observation(0.4))))
    plain = json.loads(run("evaluate", "-", "--at", "2026-11-22T15:00:00Z", stdin=body).stdout)
    full = json.loads(run("evaluate", "-", "--explain", "--at", "2026-11-22T15:00:00Z", stdin=body).stdout)
    assert "extension" not in plain
    rules = full["extension"]["org.leukopenia-cds.evaluation"]["rules"]
    assert next(r for r in rules if r["id"] == "anc-severe")["outcome"] == "fired"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "JSON"),
        (b"[]", "object"),
        (b'{"hook": 1}', "hook"),
        (orjson.dumps({**hook_request(), "hook": "no-hook"}), "hook"),
        (orjson.dumps({**hook_request(), "context": {}}), "context"),
        (orjson.dumps(hook_request(patient={**PATIENT, "id": "other"})), "patient"),
    ],
)
def test_rejects_a_request_that_a_server_would_answer_with_4xx(body, words):
    result = run("evaluate", "-", stdin=body)
    check_wrong_use(result, words)
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_refuses_a_request_without_counts():
    body = hook_request()
    del body["prefetch"]["cellCounts"]
    result = run("evaluate", "-", stdin=orjson.dumps(body))
    check_wrong_use(result, "cellCounts")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evaluate", "no-such-file.json"), "no-such-file.json"),
        (("evaluate", "-", "--at", "yesterday"), "is no instant"),
        (("evaluate",), "Missing argument"),
        (("no-such-command",), "No such command"),
        (("fire",), "Missing option"),
        (("serve", "--port", "70000"), "--port"),
        (("fire", "--service", "view"), "see cds-service fire --help"),
        (("cards", "lint", "--no-such-option"), "see cds-service cards lint --help"),
        (("feedback", "report", "--format", "xml"), "'xml' is not one of 'table'"),
        (("cards",), "Missing command; see cds-service cards --help"),
        ((), "Missing command; see cds-service --help"),
        (("evaluate", "-", "--at", "9999-12-31T23:59:59Z"), "is not between 1900 and 2200"),
        (("evaluate", "-", "--at", "0001-01-01T00:00:00+10:00"), "is not between 1900 and 2200"),
        (("evaluate", "-", "--at", "2200-01-01"), "is not between 1900 and 2200"),
        (("evaluate", "-", "--at", "1899-12-31T23:59:59Z"), "is not between 1900 and 2200"),
    ],
)
def test_rejects_wrong_use_in_one_line(arguments, words):
    result = run(*arguments, stdin=b"{}")
    check_wrong_use(result, words)
    assert result.stderr.startswith("cds-service: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("at", ["1900-01-01T00:00:00+14:00", "2199-12-31T23:59:59-12:00"])
def test_judges_as_of_the_first_and_the_last_instant(at):
    body = orjson.dumps(hook_request(cellCounts=bundle(observation(0.4))))
    result = run("evaluate", "-", "--at", at, stdin=body)
    assert result.exit_code == 0, result.output
    assert "cards" in json.loads(result.stdout)


def test_an_interrupt_is_no_traceback(monkeypatch):
    def interrupted(_path):
        raise KeyboardInterrupt

    monkeypatch.setattr("cds_service.card_files.listing.rule_rows", interrupted)
    check_wrong_use(run("cards", "list"), "cds-service: stopped", code=1)


def test_rejects_a_wrong_setting(monkeypatch):
    monkeypatch.setenv("CDS_DEADLINE_MS", "soon")
    result = run("cards", "list")
    check_wrong_use(result, "CDS_DEADLINE_MS")
    assert result.stderr.count("\n") == 1


def test_refuses_to_serve_without_clients():
    check_wrong_use(run("serve"), "CDS_CLIENTS")


def test_prints_the_settings_in_force():
    result = run("serve", "--print-settings")
    assert result.exit_code == 0, result.output
    assert "CDS_DEADLINE_MS" in result.stdout
    assert "2000" in result.stdout


def test_reports_feedback_of_an_empty_store():
    assert "No card was shown yet." in run("feedback", "report").stdout
    assert json.loads(run("feedback", "report", "--format", "json").stdout) == {"rules": []}


def test_says_its_version_and_helps():
    assert "cds-service" in run("--version").stdout
    assert "evaluate" in run("-h").stdout


SERVICES = {
    "services": [
        {
            "id": "view",
            "hook": "patient-view",
            "title": "V",
            "description": "d",
            "prefetch": {"patient": "Patient/{{context.patientId}}"},
        },
        {"id": "select", "hook": "order-select", "title": "S", "description": "d"},
    ]
}
CARD = {
    "uuid": "u",
    "summary": "ANC 0.4",
    "indicator": "critical",
    "detail": "**bold** words",
    "source": {"label": "leukopenia-cds"},
    "suggestions": [{"label": "CBC now", "uuid": "s", "actions": [{"type": "create", "description": "d"}]}],
    "links": [{"label": "How", "url": "https://x.org", "type": "absolute"}],
    "overrideReasons": [{"code": "c", "display": "Will monitor"}],
}


@pytest.fixture
def stub(httpserver):
    """A CDS service and a FHIR server in one."""
    httpserver.expect_request("/cds-services").respond_with_json(SERVICES)
    httpserver.expect_request("/cds-services/view").respond_with_json({"cards": [CARD]})
    httpserver.expect_request("/cds-services/select").respond_with_json({"cards": []})
    httpserver.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT)
    return httpserver


def sent(stub) -> dict:
    return json.loads(stub.log[-1][0].get_data())


def test_fires_a_hook_and_shows_the_cards_as_a_person_reads_them(stub):
    result = run(
        "fire",
        "--service",
        "view",
        "--patient",
        "p1",
        "--url",
        stub.url_for("/"),
        "--fhir-server",
        stub.url_for("/fhir"),
    )
    assert result.exit_code == 0, result.output
    for words in (
        "critical",
        "ANC 0.4",
        "bold words",
        "CBC now",
        "Decline because: Will monitor",
        "https://x.org",
        "1 card in",
    ):
        assert words in result.stdout
    assert sent(stub)["prefetch"] == {"patient": PATIENT}
    assert sent(stub)["fhirServer"] == stub.url_for("/fhir")


def test_shows_the_raw_answer(stub):
    result = run("fire", "--service", "view", "--patient", "p1", "--url", stub.url_for("/"), "--json")
    assert json.loads(result.stdout) == {"cards": [CARD]}


@pytest.mark.parametrize("wrapped", [False, True])
def test_sends_a_draft_order_as_a_bundle(stub, tmp_path, wrapped):
    one = {"resourceType": "MedicationRequest", "id": "m1", "medicationCodeableConcept": {"text": "x"}}
    file = tmp_path / "draft.json"
    file.write_bytes(orjson.dumps(bundle(one) if wrapped else one))
    result = run("fire", "--service", "select", "--patient", "p1", "--url", stub.url_for("/"), "--draft", str(file))
    assert result.exit_code == 0, result.output
    assert "No cards: evaluated, nothing to say." in result.stdout
    context = sent(stub)["context"]
    assert context["selections"] == ["MedicationRequest/m1"]
    order = context["draftOrders"]["entry"][0]["resource"]
    assert wrapped or order["subject"] == {"reference": "Patient/p1"}


@pytest.mark.parametrize(
    ("service", "draft", "words"),
    [
        ("none", None, "there is no service 'none'; discovery lists: view, select"),
        ("select", None, "needs --draft FILE"),
        ("select", b"{", "the draft is not JSON"),
        ("select", b"[]", "resourceType is missing"),
        ("select", b"{}", "resourceType is missing"),
    ],
)
def test_says_what_is_wrong_with_a_call_before_making_it(stub, tmp_path, service, draft, words):
    arguments = ["fire", "--service", service, "--patient", "p1", "--url", stub.url_for("/")]
    if draft is not None:
        (tmp_path / "draft.json").write_bytes(draft)
        arguments += ["--draft", str(tmp_path / "draft.json")]
    result = run(*arguments)
    check_wrong_use(result, words)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_shows_what_a_service_that_refuses_says(httpserver, as_json):
    httpserver.expect_request("/cds-services").respond_with_json(SERVICES)
    outcome = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "Missing prefetch: cellCounts."}]}
    httpserver.expect_request("/cds-services/view").respond_with_json(outcome, status=412)
    result = run("fire", "--service", "view", "--patient", "p1", "--url", httpserver.url_for("/"), *as_json)
    check_wrong_use(result, "the service answered HTTP 412: Missing prefetch: cellCounts.")


def test_says_that_nobody_answers():
    result = run("fire", "--service", "view", "--patient", "p1", "--url", "http://127.0.0.1:9")
    check_wrong_use(result, "is the service running there?")


def test_says_that_a_page_is_no_discovery(httpserver):
    httpserver.expect_request("/cds-services").respond_with_data("<html>")
    result = run("fire", "--service", "view", "--patient", "p1", "--url", httpserver.url_for("/"))
    check_wrong_use(result, "no CDS Hooks discovery")
