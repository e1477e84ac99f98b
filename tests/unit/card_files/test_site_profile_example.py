"""The site profile that the README shows can be used as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from cds_service.card_files.library import shipped_cards_dir
from cds_service.card_files.site_orders import CONFIGURABLE, load_site_orders
from cds_service.card_files.tables import load_terminology
from cds_service.clinical.requested_tests import MEMBERS
from cds_service.clinical.site_orders import SiteOrders
from cds_service.clinical.suggestions import SuggestionKind as Kind
from cds_service.settings import Settings
from tests.places import ROOT

README = (ROOT / "README.md").read_text("utf-8")
SECTION = README.partition("### Site orders\n")[2].partition("\n## ")[0]
CARDS = shipped_cards_dir()


def example(tmp_path: Path) -> tuple[Settings, SiteOrders]:
    (profile,) = re.findall(r"```yaml\n(.*?)```", SECTION, flags=re.DOTALL)
    path = tmp_path / "site.yaml"
    path.write_text(profile, "utf-8")
    settings = Settings.load({"CDS_CONFIG": str(path)})
    return settings, load_site_orders(settings.orders, load_terminology(CARDS), CARDS)


def test_the_example_of_the_readme_loads(tmp_path: Path) -> None:
    settings, orders = example(tmp_path)
    assert (settings.public_url, settings.suggestion_min_confidence) == ("https://cds.example.org", "high")
    assert {name: len(codings) for name, codings in orders.codes.items()} == {
        "repeat-cbc-diff": 2, "stat-cbc-diff": 1, "blood-cultures": 1, "b12": 1, "folate": 1, "hev-nat": 1,
    }  # fmt: skip
    labels = [option.label for option in orders.options[Kind.EMPIRIC_ANTIBIOTICS]]
    assert labels == [
        "Cefepime, dose of the local protocol for febrile neutropenia",
        "Meropenem (protocol B)",
        "Febrile neutropenia with shock",
    ]
    assert [[d.ingredient for d in o.drugs] for o in orders.options[Kind.EMPIRIC_ANTIBIOTICS]] == [
        ["cefepime"], ["meropenem"], ["meropenem", "vancomycin"],
    ]  # fmt: skip
    assert set(orders.options) == {Kind.EMPIRIC_ANTIBIOTICS, Kind.GCSF_DRAFT, Kind.PROPHYLAXIS_DRAFT}
    assert set(orders.links) == {Kind.HAEMATOLOGY_REFERRAL, Kind.EMPIRIC_ANTIBIOTICS}


def test_the_section_names_everything_that_can_be_set_up() -> None:
    names = {*CONFIGURABLE, *(test.purpose for tests in MEMBERS.values() for test in tests)}
    assert {name for name in names if f"`{name}`" not in SECTION} == set()
