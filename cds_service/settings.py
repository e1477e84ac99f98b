"""Environment and site profile become one frozen Settings; a wrong value stops the start and names the setting.

The table SETTINGS is the one place that says which settings exist, what they mean and how their text is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.errors import SettingsError
from cds_service.setting_values import (
    Parser,
    decimal,
    flatten,
    is_loopback,
    one_of,
    read_yaml,
    to_bytes,
    to_directory,
    to_mapping,
    to_origins,
    to_path,
    to_switch,
    to_text,
    to_url,
    to_urls,
    whole_number,
)
from cds_service.trusted_clients import TrustedClient, read_clients

PREFIX = "CDS_"
ORDERS = "orders"
_MASK = "********"
_DATABASE_FILE = "cds-service.sqlite3"
_DATA_DIR = Path("var")
_PASSWORD = re.compile(r"(://[^/@:]*:).*(?=@)|(password=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a site can decide. The meaning of each field stands in the table SETTINGS."""

    public_url: str = "http://127.0.0.1:8080"
    auth: str = "jwt"
    clients: Path | None = None
    fhir_servers: frozenset[str] = frozenset()
    database_url: str = field(default=f"sqlite:///{_DATA_DIR / _DATABASE_FILE}", repr=False)
    data_dir: Path = _DATA_DIR
    cards_dir: Path | None = None
    site_cards_dir: Path | None = None
    suggestion_min_confidence: str = "medium"
    duffy_null_anc: Decimal = Decimal("1.2")
    playground: bool = False
    deadline_ms: int = 2000
    explain: bool = False
    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = 16 * 1024 * 1024
    log_level: str = "INFO"
    allow_insecure: bool = False
    orders: Mapping[str, Any] = field(default_factory=dict)
    trusted_clients: tuple[TrustedClient, ...] = ()

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read the environment, the site profile over it, and over both the typed `overrides` of a command.

        Raises: SettingsError.
        """
        env = os.environ if environment is None else environment
        texts: dict[str, Any] = {setting.name: env[setting.name] for setting in SETTINGS if env.get(setting.name)}
        texts.pop(ORDERS, None)  # has members, which a variable cannot
        texts |= _read_profile(env.get("CDS_CONFIG", ""))
        used = [setting for setting in SETTINGS if setting.name in texts]
        values = {setting.field: setting.parse(setting.name, texts[setting.name]) for setting in used}
        return _complete(values | overrides)


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the settings table: the variable, its field of Settings, its meaning, how its text is read."""

    name: str
    field: str
    description: str
    parse: Parser


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "CDS_PUBLIC_URL",
        "public_url",
        "Base URL that clients call; the aud of their tokens is compared with it.",
        to_url,
    ),
    Setting(
        "CDS_AUTH",
        "auth",
        "jwt: clients prove with a signed token who they are; off: anyone may call.",
        one_of("jwt", "off"),
    ),
    Setting(
        "CDS_CLIENTS",
        "clients",
        "YAML file of the trusted CDS clients; needed with CDS_AUTH=jwt.",
        to_path,
    ),
    Setting(
        "CDS_FHIR_SERVERS",
        "fhir_servers",
        "Comma list of FHIR base URLs that may be called with CDS_AUTH=off; empty: prefetch only.",
        to_urls,
    ),
    Setting(
        "CDS_DATABASE_URL",
        "database_url",
        "SQLAlchemy URL of served cards, feedback and seen token ids; default: an SQLite file in CDS_DATA_DIR.",
        to_text,
    ),
    Setting("CDS_DATA_DIR", "data_dir", "Directory of the embedded database.", to_path),
    Setting("CDS_CARDS_DIR", "cards_dir", "Directory of the card library; default: the one shipped.", to_directory),
    Setting(
        "CDS_SITE_CARDS_DIR",
        "site_cards_dir",
        "Directory of the site's own changes to the card library; default: none.",
        to_directory,
    ),
    Setting(
        "CDS_SUGGESTION_MIN_CONFIDENCE",
        "suggestion_min_confidence",
        "Confidence, high or medium, that a drug row needs to carry a suggestion; below it there is text only.",
        one_of("high", "medium"),
    ),
    Setting(
        "limits.duffy_null_anc",
        "duffy_null_anc",
        "Lower ANC limit of Duffy-null adults in 10*9/L; site profile only.",
        decimal("0.8", "1.5"),
    ),
    Setting("CDS_PLAYGROUND", "playground", "on serves the start page for trying the service out.", to_switch),
    Setting(
        "CDS_DEADLINE_MS",
        "deadline_ms",
        "Milliseconds for one hook call, FHIR reads included.",
        whole_number(50, 60_000),
    ),
    Setting("CDS_EXPLAIN", "explain", "on adds every rule's verdict and reasons to each response.", to_switch),
    Setting("CDS_CORS_ORIGINS", "cors_origins", "Comma list of browser origins that may call, or *.", to_origins),
    Setting(
        "CDS_MAX_BODY_BYTES",
        "max_body_bytes",
        "Larger requests are refused with 413; bytes, or with the unit KiB or MiB.",
        to_bytes,
    ),
    Setting(
        "CDS_LOG_LEVEL",
        "log_level",
        "Least severe level that is logged.",
        one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    ),
    Setting(
        "CDS_ALLOW_INSECURE",
        "allow_insecure",
        "on permits CDS_AUTH=off beyond this machine and FHIR servers over plain http.",
        to_switch,
    ),
    Setting(
        ORDERS,
        "orders",
        "The site's own order codes, ready-made drug orders and links for each kind of suggestion; site profile only.",
        to_mapping,
    ),
)
"""Every setting. CDS_CONFIG, which names the site profile, cannot stand in it and is read first."""


def check_start(settings: Settings) -> None:
    """Refuse to start a service that could answer nobody.

    Raises: SettingsError.
    """
    if settings.auth == "jwt" and not settings.trusted_clients:
        raise SettingsError(
            "CDS_CLIENTS: must name the file of trusted CDS clients, because CDS_AUTH is jwt and without it no call "
            "could be accepted. For a trial on this machine set CDS_AUTH=off."
        )


def check_bind(settings: Settings, host: str) -> None:
    """Refuse to listen beyond this machine without authentication.

    Raises: SettingsError.
    """
    if settings.auth == "off" and not is_loopback(host) and not settings.allow_insecure:
        raise SettingsError(
            f"CDS_AUTH: off is refused on {host or 'all interfaces'}, because anyone there could call the service. "
            "Set CDS_AUTH=jwt with CDS_CLIENTS, or CDS_ALLOW_INSECURE=on where another layer authenticates."
        )


def printable_settings(settings: Settings) -> list[tuple[str, str, str]]:
    """Name, value and description of every setting, secrets masked."""
    return [(each.name, _printable(getattr(settings, each.field)), each.description) for each in SETTINGS]


def _printable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (tuple, frozenset, Mapping)):
        return ",".join(sorted(map(str, value)))
    return _PASSWORD.sub(rf"\1\2{_MASK}", str(value))


def _complete(values: dict[str, Any]) -> Settings:
    if "database_url" not in values:
        values["database_url"] = f"sqlite:///{Path(values.get('data_dir', _DATA_DIR)) / _DATABASE_FILE}"
    settings = Settings(**values)
    if settings.auth == "off" or settings.clients is None:
        return settings
    return replace(settings, trusted_clients=read_clients(settings.clients))


def _read_profile(path: str) -> dict[str, Any]:
    if not path.strip():
        return {}
    document = read_yaml("CDS_CONFIG", Path(path).expanduser())
    orders = document.pop(ORDERS, None)
    structured = {} if orders is None else {ORDERS: orders}
    flat = flatten(document)
    names = {setting.name.lower(): setting.name for setting in SETTINGS}
    unknown = [key for key in flat if _canonical(key) not in names]
    if unknown:
        raise SettingsError(f"CDS_CONFIG: {path} has unknown settings: {', '.join(unknown)}.")
    if len({_canonical(key) for key in flat}) < len(flat):
        raise SettingsError(f"CDS_CONFIG: {path} has a setting in two spellings.")
    return {names[_canonical(key)]: text for key, text in flat.items()} | structured


def _canonical(key: str) -> str:
    """`deadline_ms` and `CDS_DEADLINE_MS` are two spellings of one setting; dotted names stand as they are."""
    key = key.lower()
    return key if "." in key or key.startswith(PREFIX.lower()) else PREFIX.lower() + key
