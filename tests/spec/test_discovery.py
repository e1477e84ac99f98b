"""B and C. Discovery and the prefetch that it publishes."""

from __future__ import annotations

import re

import pytest

from cds_service.errors import UnauthorizedClient
from cds_service.observability import Metrics
from cds_service.settings import Settings
from cds_service.web.collaborators import Collaborators
from cds_service.web.wsgi import make_app
from tests.spec.charts import KEYS, prefetch
from tests.spec.fakes import NOW, FakeService, FakeStore
from tests.spec.invariants import TOKEN, check_discovery
from tests.spec.requests import HOOKS, hook_request


@pytest.fixture
def templates(discovery):
    """(hook, key, template) of every service."""
    return [(each["hook"], key, text) for each in discovery["services"] for key, text in each["prefetch"].items()]


def make_client(service, authenticator):
    parts = Collaborators(Settings(auth="jwt"), service, FakeStore(), authenticator, Metrics(), lambda: NOW)
    return make_app(parts).test_client()


class NobodyEnters:
    """Refuses every caller."""

    def authenticate(self, request, audiences, *, now):
        raise UnauthorizedClient("no")


def test_discovery_is_at_its_address(client):
    """B6. GET {base}/cds-services, 200, an object whose services is an array; also where there are none."""
    response = client.get("/cds-services")
    assert response.status_code == 200
    assert isinstance(response.json["services"], list)
    nothing = make_client(FakeService(services=()), NobodyEnters()).get("/cds-services")
    assert (nothing.status_code, nothing.json) == (200, {"services": []})


def test_every_service_says_what_it_is(discovery):
    """B7. hook, description, id, title; prefetch string to string; usageRequirements one string."""
    check_discovery(discovery)
    assert {each["hook"] for each in discovery["services"]} == set(HOOKS)
    for each in discovery["services"]:
        assert all(isinstance(each[name], str) for name in ("hook", "title", "description", "id", "usageRequirements"))


def test_every_service_names_the_version(discovery):
    """B8. The version of CDS Hooks, as a semantic version."""
    assert {each["version"] for each in discovery["services"]} == {"2.0.1"}


def test_the_id_is_the_address(client, discovery):
    """B10. {base}/cds-services/{id} answers the hook of that id, and ids are safe in a URL."""
    for each in discovery["services"]:
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", each["id"])
        body = hook_request(each["hook"], prefetch=prefetch(1.2))
        assert client.post(f"/cds-services/{each['id']}", json=body).status_code == 200


def test_ids_are_distinct(discovery):
    """B11. No id twice: the Sandbox would keep the last one only."""
    ids = [each["id"] for each in discovery["services"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer whatever"}])
def test_discovery_is_open_with_and_without_a_token(headers):
    """B12. Clients ask with and without a token; both are answered, also where calls need one."""
    response = make_client(FakeService(), NobodyEnters()).get("/cds-services", headers=headers)
    assert response.status_code == 200


def test_discovery_is_one_response(client):
    """B13. No pages, no Link header."""
    assert "Link" not in client.get("/cds-services").headers


def test_templates_are_reads_or_type_searches(templates):
    """C14. Relative: a read of one resource or a search of one type."""
    for _, _, template in templates:
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{[^{}]+\}\}|\?\S+)", template)


def test_templates_have_the_tokens_of_2_0_only(templates):
    """C15. {{context.patientId}} and, where the hook has it, {{context.encounterId}}: first-level primitives."""
    tokens = {token for _, _, template in templates for token in TOKEN.findall(template)}
    assert tokens == {"context.patientId", "context.encounterId"}


def test_templates_do_not_prefix_the_user(templates):
    """C16. {{context.userId}} has its type inside; no template puts one before it or guesses the type."""
    assert not [text for _, _, text in templates if re.search(r"/\{\{context\.userId|\{\{user", text)]


def test_only_encounter_start_asks_for_the_encounter(templates):
    """C17. encounterId is optional elsewhere, and a template that needs it would never be resolved."""
    assert {hook for hook, _, text in templates if "encounterId" in text} == {"encounter-start"}


def test_searches_stay_in_the_recommended_subset(discovery):
    """C18. No include, chain, modifier but :in, summary, elements or has."""
    check_discovery(discovery)


def test_searches_sort_the_way_r4_does(templates):
    """C19. _sort=-date, codes as one comma list, no parameter twice."""
    for _, key, text in templates:
        parameters = [part.partition("=") for part in text.partition("?")[2].split("&") if part]
        names = [name for name, _, _ in parameters]
        assert len(names) == len(set(names))
        assert {value for name, _, value in parameters if name == "_sort"} <= {"-date"}
        if key == "cellCounts":
            [codes] = [value for name, _, value in parameters if name == "code"]
            assert {"http://loinc.org|751-8", "http://loinc.org|6690-2"} <= set(codes.split(","))


def test_templates_need_no_date_tokens(templates):
    """C20. No today(), no %key, no path into a resource: a client of 2.0 would leave them as they are."""
    assert not [text for _, _, text in templates if re.search(r"today\(|%|ofType|resolve\(|\.entry", text)]


def test_asks_for_what_it_uses_only(discovery):
    """C21. Only the keys of the contract, and the encounter only where its reason is read."""
    for each in discovery["services"]:
        extra = {"encounter"} if each["hook"] == "encounter-start" else set()
        assert set(each["prefetch"]) <= set(KEYS) | extra
        assert {"patient", "cellCounts"} <= set(each["prefetch"])
