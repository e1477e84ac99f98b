"""Settings: every one has a default, a description and a reader that refuses what is wrong and names it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.errors import SettingsError
from cds_service.setting_values import base_url, is_loopback
from cds_service.settings import SETTINGS, Settings, check_bind, check_start, printable_settings
from cds_service.trusted_clients import read_clients

CLIENT = "clients:\n  - iss: https://ehr.example.org\n    jku: https://ehr.example.org/jwks.json\n"


def load(tmp_path, profile=None, **environment):
    if profile is not None:
        path = tmp_path / "site.yaml"
        path.write_text(profile, encoding="utf-8")
        environment["CDS_CONFIG"] = str(path)
    return Settings.load(environment)


def test_defaults_are_those_of_the_contract():
    settings = Settings.load({})
    assert settings == Settings()
    assert (settings.auth, settings.public_url, settings.deadline_ms) == ("jwt", "http://127.0.0.1:8080", 2000)
    assert (settings.duffy_null_anc, settings.suggestion_min_confidence) == (Decimal("1.2"), "medium")
    assert settings.max_body_bytes == 16 * 1024 * 1024
    assert (settings.cors_origins, settings.fhir_servers, settings.playground) == ((), frozenset(), False)


def test_every_setting_of_the_contract_is_there_and_described():
    names = {setting.name for setting in SETTINGS}
    assert names >= {
        "CDS_PUBLIC_URL",
        "CDS_AUTH",
        "CDS_CLIENTS",
        "CDS_FHIR_SERVERS",
        "CDS_DATABASE_URL",
        "CDS_DATA_DIR",
        "CDS_CARDS_DIR",
        "CDS_SITE_CARDS_DIR",
        "CDS_SUGGESTION_MIN_CONFIDENCE",
        "limits.duffy_null_anc",
        "orders",
        "CDS_PLAYGROUND",
        "CDS_DEADLINE_MS",
        "CDS_EXPLAIN",
        "CDS_CORS_ORIGINS",
        "CDS_MAX_BODY_BYTES",
        "CDS_LOG_LEVEL",
    }
    assert all(setting.description.endswith(".") for setting in SETTINGS)
    assert {setting.field for setting in SETTINGS} == set(Settings.__dataclass_fields__) - {"trusted_clients"}


def test_reads_the_environment(tmp_path):
    settings = load(
        tmp_path,
        CDS_AUTH="off",
        CDS_FHIR_SERVERS="http://LOCALHOST:80/fhir/, https://ehr.example.org/r4",
        CDS_CORS_ORIGINS="https://B.example.org, https://a.example.org",
        CDS_MAX_BODY_BYTES="2 MiB",
        CDS_EXPLAIN="On",
        CDS_DATA_DIR=str(tmp_path),
        CDS_CARDS_DIR=str(tmp_path),
        CDS_LOG_LEVEL="debug",
        CDS_UNKNOWN="left alone: other programs use the prefix too",
    )
    assert settings.fhir_servers == {"http://localhost/fhir", "https://ehr.example.org/r4"}
    assert settings.cors_origins == ("https://a.example.org", "https://b.example.org")
    assert (settings.max_body_bytes, settings.explain, settings.log_level) == (2 * 1024 * 1024, True, "DEBUG")
    assert settings.database_url == f"sqlite:///{tmp_path / 'cds-service.sqlite3'}"


def test_the_site_profile_wins_over_the_environment(tmp_path):
    profile = """
        auth: off
        CDS_DEADLINE_MS: 1500
        fhir_servers: [http://127.0.0.1:9/fhir]
        explain: on
        limits:
          duffy_null_anc: 1.0
    """
    settings = load(tmp_path, profile, CDS_DEADLINE_MS="3000", CDS_LOG_LEVEL="ERROR")
    assert (settings.auth, settings.deadline_ms, settings.explain) == ("off", 1500, True)
    assert settings.fhir_servers == {"http://127.0.0.1:9/fhir"}
    assert settings.duffy_null_anc == Decimal("1.0")
    assert settings.log_level == "ERROR"


def test_the_orders_of_the_site_stand_in_its_profile_with_all_their_members(tmp_path):
    profile = """
        auth: off
        orders:
          stat-cbc-diff: {codes: [{system: "urn:oid:1.2.3", code: "007", display: Count}]}
          gcsf-draft: {link: {label: Page, url: "https://example.org"}}
    """
    settings = load(tmp_path, profile)
    assert settings.orders == {
        "stat-cbc-diff": {"codes": [{"system": "urn:oid:1.2.3", "code": "007", "display": "Count"}]},
        "gcsf-draft": {"link": {"label": "Page", "url": "https://example.org"}},
    }
    rows = {name: value for name, value, _ in printable_settings(settings)}
    assert rows["orders"] == "gcsf-draft,stat-cbc-diff"
    assert load(tmp_path, "orders:\n").orders == {}
    assert load(tmp_path, orders="stray variable").orders == {}


def test_typed_values_of_a_command_win_over_all(tmp_path):
    assert Settings.load({"CDS_AUTH": "jwt", "CDS_EXPLAIN": "off"}, auth="off", explain=True).explain


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CDS_PUBLIC_URL", "127.0.0.1:8080"),
        ("CDS_AUTH", "none"),
        ("CDS_FHIR_SERVERS", "https://ok.example.org,ftp://x"),
        ("CDS_FHIR_SERVERS", "https://user:secret@ehr.example.org"),
        ("CDS_CARDS_DIR", "/there/is/no/such/directory"),
        ("CDS_SITE_CARDS_DIR", "/there/is/no/such/directory"),
        ("CDS_SUGGESTION_MIN_CONFIDENCE", "low"),
        ("CDS_PLAYGROUND", "yes"),
        ("CDS_DEADLINE_MS", "fast"),
        ("CDS_DEADLINE_MS", "0"),
        ("CDS_DEADLINE_MS", "-5"),
        ("CDS_DEADLINE_MS", "1.5"),
        ("CDS_EXPLAIN", "1"),
        ("CDS_CORS_ORIGINS", "*,https://a.example.org"),
        ("CDS_CORS_ORIGINS", "https://a.example.org/path"),
        ("CDS_MAX_BODY_BYTES", "many"),
        ("CDS_MAX_BODY_BYTES", "1"),
        ("CDS_LOG_LEVEL", "LOUD"),
        ("CDS_ALLOW_INSECURE", "maybe"),
        ("CDS_CLIENTS", "/there/is/no/such/file.yaml"),
        ("CDS_CONFIG", "/there/is/no/such/file.yaml"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_setting(tmp_path, name, value):
    with pytest.raises(SettingsError, match=name) as raised:
        load(tmp_path, **{name: value})
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("deadline: 5", "unknown settings: deadline"),
        ("CDS_DEADLINE: 5", "unknown settings: CDS_DEADLINE"),
        ("limits: {duffy: 1}", "unknown settings: limits.duffy"),
        ("auth: off\nauth: jwt", "stands twice"),
        ("auth: off\nCDS_AUTH: jwt", "two spellings"),
        ("- auth", "must be a mapping"),
        ("orders: [stat-cbc-diff]", "orders: must be a mapping"),
        ("orders: 5", "orders: must be a mapping"),
        ("orders: {gcsf-draft: {}, gcsf-draft: {}}", "stands twice"),
        ("auth: [", "line"),
        ("limits: {duffy_null_anc: 0.5}", "from 0.8 to 1.5"),
        ("limits: {duffy_null_anc: nan}", "from 0.8 to 1.5"),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path, profile, words):
    with pytest.raises(SettingsError, match=words):
        load(tmp_path, profile)


def test_an_empty_profile_changes_nothing(tmp_path):
    assert load(tmp_path, "# nothing yet\n") == Settings()


def test_without_clients_nobody_could_call():
    with pytest.raises(SettingsError, match=r"CDS_CLIENTS: .*CDS_AUTH is jwt"):
        check_start(Settings.load({}))
    check_start(Settings.load({"CDS_AUTH": "off"}))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "cds.example.org", "127.0.0.1.example.org"])  # noqa: S104 - refused
def test_an_open_door_stays_on_this_machine(host):
    with pytest.raises(SettingsError, match="CDS_ALLOW_INSECURE"):
        check_bind(Settings(auth="off"), host)
    check_bind(Settings(auth="off", allow_insecure=True), host)
    check_bind(Settings(auth="jwt"), host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_an_open_door_is_fine_on_this_machine(host):
    assert is_loopback(host)
    check_bind(Settings(auth="off"), host)


def test_printing_masks_passwords(tmp_path):
    url = "postgresql://cds:p%40ss@db.example.org:5432/cds?sslpassword=hidden"
    rows = {name: value for name, value, _ in printable_settings(load(tmp_path, CDS_DATABASE_URL=url))}
    assert rows["CDS_DATABASE_URL"] == "postgresql://cds:********@db.example.org:5432/cds?sslpassword=********"
    assert rows["CDS_PUBLIC_URL"] == "http://127.0.0.1:8080"
    assert (rows["CDS_PLAYGROUND"], rows["CDS_CLIENTS"], rows["limits.duffy_null_anc"]) == ("off", "", "1.2")
    assert "p%40ss" not in repr(load(tmp_path, CDS_DATABASE_URL=url))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://EHR.example.org/fhir/", "https://ehr.example.org:443/fhir"),
        ("HTTP://ehr.example.org", "http://ehr.example.org:80/"),
        ("http://[::1]:8080/fhir", "http://[::1]:8080/fhir/"),
    ],
)
def test_spellings_of_one_base_url_are_one(one, other):
    assert base_url(one) == base_url(other)


def test_paths_and_ports_tell_base_urls_apart():
    urls = [
        "https://a.example.org/fhir",
        "https://a.example.org/FHIR",
        "https://a.example.org:8443/fhir",
        "http://a.example.org/fhir",
    ]
    assert len({base_url(url) for url in urls}) == 4


def clients_of(tmp_path: Path, text: str):
    path = tmp_path / "clients.yaml"
    path.write_text(text, encoding="utf-8")
    return read_clients(path)


def test_reads_trusted_clients(tmp_path):
    (tmp_path / "keys.json").write_text("{}", encoding="utf-8")
    clients = clients_of(
        tmp_path,
        """
clients:
  - iss: https://ehr.example.org
    jku: https://ehr.example.org/jwks.json
    tenants: [hospital-1]
    fhir_servers: https://EHR.example.org/fhir/
    prefetch_keys: {item1: cellCounts}
    audience: https://cds.example.org/
  - iss: urn:example:other
    jwks_file: keys.json
    algorithms: [ES256]
""",
    )
    first, second = clients
    assert (first.algorithms, first.tenants) == (("ES384", "RS384"), {"hospital-1"})
    assert first.fhir_servers == {"https://ehr.example.org/fhir"}
    assert (first.prefetch_keys, first.audiences) == ({"item1": "cellCounts"}, {"https://cds.example.org"})
    assert (second.jku, second.jwks_file, second.algorithms) == (None, tmp_path / "keys.json", ("ES256",))


def test_settings_carry_the_clients(tmp_path):
    path = tmp_path / "clients.yaml"
    path.write_text(CLIENT, encoding="utf-8")
    settings = load(tmp_path, CDS_CLIENTS=str(path))
    check_start(settings)
    assert [client.iss for client in settings.trusted_clients] == ["https://ehr.example.org"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least one entry"),
        ("clients: []", "at least one entry"),
        ("clients: [x]", r"clients\[0\]: must be a mapping"),
        ("clients: [{jku: https://a.example.org/k}]", r"clients\[0\].iss: is missing"),
        ("clients: [{iss: a}]", "either jku or jwks_file"),
        ("clients: [{iss: a, jku: https://a.example.org/k, jwks_file: k.json}]", "either jku or jwks_file"),
        ("clients: [{iss: a, jku: http://a.example.org/k}]", "jku: must be an https URL"),
        ("clients: [{iss: a, jwks_file: nothing.json}]", "there is no file"),
        ("clients: [{iss: a, jku: https://a.example.org/k, algorithms: [HS256]}]", "HS256"),
        ("clients: [{iss: a, jku: https://a.example.org/k, algorithms: [none]}]", "none"),
        ("clients: [{iss: a, jku: https://a.example.org/k, fhirServers: []}]", "unknown members: fhirServers"),
        ("clients: [{iss: a, jku: https://a.example.org/k, fhir_servers: [x]}]", "fhir_servers"),
        ("clients: [{iss: a, jku: https://a.example.org/k, prefetch_keys: [x]}]", "prefetch_keys"),
        ("clients: [{iss: a, jku: https://a.example.org/k, tenants: [1]}]", "tenants: must be a list of texts"),
        (CLIENT + CLIENT.removeprefix("clients:\n"), "more than one entry"),
    ],
)
def test_a_wrong_clients_file_is_refused(tmp_path, text, words):
    with pytest.raises(SettingsError, match=words):
        clients_of(tmp_path, text)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("orders: {? [a, b] : c}", "line 1: a list or mapping is no name"),
        ("? {a: b}\n: c\n", "line 1: a list or mapping is no name"),
        ("orders: {a: 2020-13-45}", "not readable as YAML"),
        ("orders: {a: " + "9" * 5000 + "}", "not readable as YAML"),
        ("orders: {a: !!int foo}", "not readable as YAML"),
        ("orders: {a: !!bool foo}", "not readable as YAML"),
        ("orders: {a: !!float foo}", "not readable as YAML"),
        ("orders: {a: !!timestamp foo}", "not readable as YAML"),
        ("orders: " + "[" * 2000 + "]" * 2000, "not readable as YAML"),
        (r'orders: {"\ud800": {}}', r"line 1: '\ud800' is no name"),
        (r'{"a\nb\e[31m": 1}', r"line 1: 'a\nb\x1b[31m' is no name"),
    ],
)
def test_a_profile_that_cannot_be_read_is_one_line_with_the_file(tmp_path, profile, words):
    with pytest.raises(SettingsError) as raised:
        load(tmp_path, profile)
    said = str(raised.value)
    assert said.startswith(f"CDS_CONFIG: {tmp_path / 'site.yaml'} ")
    assert words in said
    assert said.isprintable()
