"""From the body of a call to a HookRequest: what is required, what is tolerated, which server may be called."""

from __future__ import annotations

import pytest

from cds_service.application.hook_request import CallerIdentity
from cds_service.errors import InvalidHookRequest
from cds_service.web.envelope import NOT_A_URL, NOT_ALLOWED, NOT_HTTPS, bare_id, read_fhir_access, read_hook_request
from tests.spec.fakes import SERVICES
from tests.spec.requests import HOOKS, hook_request, without

BY_HOOK = {service.hook: service for service in SERVICES}
FHIR = "https://ehr.example.org/fhir"


def read(body, hook="patient-view", **identity):
    return read_hook_request(body, BY_HOOK[hook], CallerIdentity(**identity))


@pytest.mark.parametrize("hook", HOOKS)
def test_reads_a_minimal_call(hook):
    request = read(hook_request(hook), hook)
    assert (request.hook, request.patient_id, request.prefetch, request.fhir) == (hook, "p1", {}, None)
    assert (request.draft_orders is not None) == hook.startswith("order")
    assert request.selections == (("MedicationRequest/m1",) if hook == "order-select" else ())


@pytest.mark.parametrize(
    ("hook", "path"),
    [
        *((hook, path) for hook in HOOKS for path in ("hook", "hookInstance", "context", "context.patientId")),
        ("encounter-start", "context.encounterId"),
        ("order-select", "context.draftOrders"),
        ("order-sign", "context.draftOrders"),
    ],
)
def test_names_the_required_member_that_is_missing(hook, path):
    with pytest.raises(InvalidHookRequest, match=f"{path}: is required"):
        read(without(hook_request(hook), path), hook)


def test_tells_a_client_from_before_1_0_where_the_patient_belongs():
    old = {"hook": "patient-view", "hookInstance": "x", "patient": "p1", "user": "Practitioner/1"}
    with pytest.raises(InvalidHookRequest, match=r"context\.patientId: is required"):
        read(old)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("context.patientId", 7),
        ("context.patientId", ""),
        ("context.patientId", "p1,p2"),
        ("context.patientId", "../admin"),
        ("context.patientId", ".."),
        ("context.patientId", "p1?x=y"),
        ("context.patientId", "Practitioner/1"),
        ("context", []),
        ("context", None),
        ("hookInstance", ""),
        ("hookInstance", 12),
        ("prefetch", []),
        ("fhirServer", 7),
        ("fhirAuthorization", "token"),
        ("extension", "x"),
    ],
)
def test_rejects_a_member_of_the_wrong_kind(path, value):
    body = hook_request()
    if path.startswith("context."):
        body["context"] |= {path.removeprefix("context."): value}
    else:
        body |= {path: value}
    with pytest.raises(InvalidHookRequest, match=path):
        read(body)


@pytest.mark.parametrize(
    "drafts", [None, [], "x", {}, {"resourceType": "MedicationRequest"}, {"resourceType": "Bundle", "entry": {}}]
)
def test_rejects_drafts_that_are_no_bundle(drafts):
    with pytest.raises(InvalidHookRequest, match=r"context\.draftOrders"):
        read(hook_request("order-sign", context={"draftOrders": drafts}), "order-sign")


@pytest.mark.parametrize(
    "drafts", [{"resourceType": "Bundle"}, {"entry": []}, {"resourceType": "Bundle", "entry": None}]
)
def test_takes_a_bundle_without_a_type_or_entries(drafts):
    request = read(hook_request("order-sign", context={"draftOrders": drafts}), "order-sign")
    assert request.draft_orders == drafts


@pytest.mark.parametrize(
    "hook", ["patient-view", "medication-prescribe", "https://cds-hooks.org/hooks/1.0/patient-view"]
)
def test_rejects_the_hook_of_another_service(hook):
    with pytest.raises(InvalidHookRequest, match="hook: this service is registered for order-sign") as raised:
        read(hook_request("order-sign") | {"hook": hook}, "order-sign")
    assert "medication-prescribe" not in str(raised.value)


def test_messages_never_repeat_what_was_sent():
    body = hook_request(context={"patientId": "Smith, John"}) | {"prefetch": "Smith", "fhirServer": 1}
    with pytest.raises(InvalidHookRequest) as raised:
        read(body)
    assert "Smith" not in str(raised.value)


def test_tolerates_what_it_does_not_know_and_what_is_left_out():
    body = without(hook_request(), "context.userId") | {
        "user": "x",
        "item4": None,
        "prefetch": None,
        "fhirServer": None,
        "fhirAuthorization": None,
        "extension": None,
        "hookInstance": "html-test",
    }
    body["context"] |= {"new-member": {"a": [1]}, "encounterId": None, "selections": None}
    request = read(body)
    assert (request.hook_instance, request.patient_id, request.fhir_refused) == ("html-test", "p1", None)


def test_order_select_without_selections_is_read():
    body = without(hook_request("order-select"), "context.selections")
    assert read(body, "order-select").selections == ()


def test_order_sign_knows_no_selections():
    body = hook_request("order-sign", context={"selections": ["MedicationRequest/other"]})
    assert read(body, "order-sign").selections == ()


@pytest.mark.parametrize(
    ("sent", "bare"),
    [
        ("p1", "p1"),
        ("Patient/p1", "p1"),
        (" Patient/p1/ ", "p1"),
        ("https://ehr.example.org/fhir/Patient/p1", "p1"),
        ("https://ehr.example.org/fhir/Patient/p1/_history/3", "p1"),
        ("e7v8x8KnybWo0qlpVS6j9Ig3.A-b_c", "e7v8x8KnybWo0qlpVS6j9Ig3.A-b_c"),
        ("Encounter/p1", None),
        ("Patient/", None),
        ("p1/p2", None),
        ("p1 p2", None),
        ("x" * 300, None),
    ],
)
def test_strips_ids_to_the_bare_id(sent, bare):
    assert bare_id(sent, "Patient") == bare


def test_the_context_has_bare_ids_for_the_templates():
    context = read(hook_request(context={"patientId": "Patient/p9", "encounterId": "Encounter/e9"})).context
    assert (context["patientId"], context["encounterId"]) == ("p9", "e9")


def test_an_unreadable_encounter_matters_only_where_it_is_needed():
    assert "encounterId" not in read(hook_request(context={"encounterId": "a b"})).context
    with pytest.raises(InvalidHookRequest, match=r"context\.encounterId"):
        read(hook_request("encounter-start", context={"encounterId": "a b"}), "encounter-start")


@pytest.mark.parametrize("spelling", [FHIR, f"{FHIR}/", "https://EHR.example.org:443/fhir"])
def test_calls_an_allowed_server_in_any_spelling(spelling):
    body = {
        "fhirServer": spelling,
        "fhirAuthorization": {"access_token": "opaque", "token_type": "bearer", "scope": "whatever Epic says"},
    }
    access, refused = read_fhir_access(body, frozenset({FHIR}))
    assert (access.base_url, access.token, refused) == (FHIR, "opaque", None)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("https://ehr.example.org/fhir2", NOT_ALLOWED),
        ("https://ehr.example.org/FHIR", NOT_ALLOWED),
        ("https://ehr.example.org.evil.org/fhir", NOT_ALLOWED),
        ("http://ehr.example.org/fhir", NOT_ALLOWED),
        ("https://ehr.example.org/fhir/../admin", NOT_ALLOWED),
        ("https://user@ehr.example.org/fhir", NOT_A_URL),
        ("https://ehr.example.org/fhir?x=1", NOT_A_URL),
        ("{{fhirServerUrl}}", NOT_A_URL),
        ("ftp://ehr.example.org/fhir", NOT_A_URL),
        ("https://ehr.example.org:x/fhir", NOT_A_URL),
        ("https://[::1/fhir", NOT_A_URL),
    ],
)
def test_refuses_every_other_server_without_an_error(server, reason):
    assert read_fhir_access({"fhirServer": server}, frozenset({FHIR})) == (None, reason)
    assert server not in reason


def test_demands_https_beyond_this_machine():
    far, near = "http://ehr.example.org/fhir", "http://127.0.0.1:9002/fhir"
    allowed = frozenset({far, near})
    assert read_fhir_access({"fhirServer": far}, allowed) == (None, NOT_HTTPS)
    assert read_fhir_access({"fhirServer": far}, allowed, allow_http=True)[0].base_url == far
    assert read_fhir_access({"fhirServer": near}, allowed)[0].base_url == near


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        {},
        {"access_token": "t", "token_type": "mac"},
        {"access_token": "", "token_type": "Bearer"},
        {"access_token": "a\r\nb"},
    ],
)
def test_uses_no_token_that_is_not_a_bearer_token(authorization):
    access, _ = read_fhir_access({"fhirServer": FHIR, "fhirAuthorization": authorization}, frozenset({FHIR}))
    assert access.token is None


def test_the_token_is_never_shown():
    access, _ = read_fhir_access(
        {"fhirServer": FHIR, "fhirAuthorization": {"access_token": "opaque"}}, frozenset({FHIR})
    )
    assert "opaque" not in repr(access)


def test_the_caller_decides_which_server_and_which_keys():
    request = read(
        hook_request(fhirServer=FHIR),
        issuer="https://ehr.example.org",
        tenant="t1",
        fhir_servers=frozenset({FHIR}),
        prefetch_keys={"item1": "cellCounts"},
    )
    assert (request.client, request.tenant, request.fhir.base_url) == ("https://ehr.example.org", "t1", FHIR)
    assert request.prefetch_keys == {"item1": "cellCounts"}
