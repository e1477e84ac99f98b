"""The pages for people."""

from __future__ import annotations

import re


def test_lists_the_rules(client):
    response = client.get("/guidelines")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert 'href="/guidelines/anc-mild-observe"' in response.text
    assert "2026.11.0" in response.text


def test_shows_a_rule_with_limits_evidence_and_cases(client):
    text = client.get("/guidelines/anc-mild-observe").text
    for expected in (
        "1.5 10*9/L",
        "CTCAE",
        "version 1.0.0",
        "patient-view",
        "First version.",
        "1 case,",
        "abstract read",
    ):
        assert expected in text
    assert 'href="https://example.org/paper"' in text


def test_escapes_everything_and_runs_no_script(client):
    text = client.get("/guidelines/anc-mild-observe").text
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "fires at ANC 1.2, &lt;well&gt;" in text
    assert "javascript:" not in text
    assert not re.search(r"\sstyle=|\son\w+=", text)


def test_says_so_where_there_is_no_such_rule(client):
    response = client.get("/guidelines/<b>x")
    assert response.status_code == 404
    assert "No such rule" in response.text
    assert "<b>" not in response.text


def test_the_style_sheet_is_there(client):
    text = client.get("/guidelines").text
    path = re.search(r'href="(/static/[^"]+css)"', text)[1]
    response = client.get(path)
    assert (response.status_code, response.mimetype) == (200, "text/css")
    response.close()


def test_the_start_page_is_there_only_where_switched_on(client, make_client):
    assert client.get("/").status_code == 404
    page = make_client(playground=True, fhir_servers=frozenset({"http://127.0.0.1:9/fhir"})).get("/")
    assert page.status_code == 200
    for expected in (
        "http://127.0.0.1:8080/cds-services",
        "/openapi.json",
        "/guidelines",
        "Sandbox",
        "http://127.0.0.1:9/fhir",
    ):
        assert expected in page.text
