"""Imports point one way: web → application → clinical; adapters implement the ports; only app.py sees all."""

from __future__ import annotations

import pytest

from tests.architecture.sources import PACKAGE, Import, package_imports, package_modules

SETTINGS = frozenset({"settings", "setting_values", "trusted_clients"})
FOUNDATION = SETTINGS | {"errors", "observability"}
PORTS = frozenset({"application.ports", "application.hook_request", "application.feedback_report"})
"""The ports and what they speak of; the use cases beside them are none of an adapter's business."""
ADAPTER = FOUNDATION | PORTS | {"clinical"}
EVERYTHING = FOUNDATION | {"web", "application", "clinical", "card_files", "fhir", "store", "demo", "app"}

MAY_IMPORT: dict[str, frozenset[str]] = {
    "__init__": frozenset(),
    "errors": frozenset(),
    "observability": SETTINGS | PORTS | {"clinical", "errors"},
    "settings": SETTINGS | {"errors"},
    "setting_values": frozenset({"errors"}),
    "trusted_clients": SETTINGS | {"errors"},
    "clinical": frozenset({"errors"}),
    "application": frozenset({"clinical", "errors", "observability"}),
    "web": FOUNDATION | {"application", "clinical"},
    "fhir": ADAPTER,
    "card_files": ADAPTER,
    "store": ADAPTER,
    "client": frozenset({"errors"}),
    "firing": frozenset({"client", "errors"}),
    "cli_output": frozenset({"client"}),
    "app": EVERYTHING,
    "cli": (EVERYTHING | {"client", "cli_output", "firing"}) - {"web"},
    "__main__": frozenset({"cli"}),
    "demo": FOUNDATION | {"app", "application", "client", "clinical"},
}
"""Per folder or file right under the package: what of the package it may import, besides itself."""

CLINICAL_IS_PURE = (
    "flask", "werkzeug", "yaml", "requests", "urllib", "http", "socket", "sqlalchemy", "alembic", "json", "orjson",
    "os", "pathlib", "io", "subprocess", "time", "random", "logging",
)  # fmt: skip

ONLY_IN: dict[str, tuple[str, ...]] = {
    "yaml": ("card_files", *SETTINGS),
    "cel_expr_python": ("clinical/conditions.py", "card_files"),
    "sqlalchemy": ("store",),
    "alembic": ("store",),
    "flask": ("web", "app", "demo"),
    "werkzeug": ("web", "app", "demo"),
    "jwt": ("web",),
    "fhir.resources": ("fhir",),
    "sekmet": ("demo",),
}
"""Outside packages that one folder keeps to itself."""


def _inside(each: Import) -> str:
    """The imported module as named inside the package: "application.ports"."""
    return each.name.removeprefix(PACKAGE).removeprefix(".")


def _is_allowed(each: Import) -> bool:
    target, own = _inside(each), each.module.layer
    allowed = MAY_IMPORT[own] | {own, ""}
    return any(target == name or (name and target.startswith(f"{name}.")) for name in allowed)


def _is_at_home(each: Import, homes: tuple[str, ...]) -> bool:
    inside = each.module.place.removeprefix(f"{PACKAGE}/")
    return any(inside in (home, f"{home}.py") or inside.startswith(f"{home}/") for home in homes)


def test_every_part_of_the_package_has_a_line_in_the_table() -> None:
    assert {module.layer for module in package_modules()} <= MAY_IMPORT.keys()


def test_imports_point_one_way() -> None:
    ours = [each for each in package_imports() if each.is_of(PACKAGE)]
    assert [f"{each.place} imports {each.name}" for each in ours if not _is_allowed(each)] == []


def test_nobody_but_the_wiring_imports_web() -> None:
    strangers = {each.module.layer for each in package_imports() if each.is_of(f"{PACKAGE}.web")} - {"web", "app"}
    assert strangers == set()


def test_no_import_is_relative() -> None:
    assert [each.place for each in package_imports() if each.name.startswith(".")] == []


def test_clinical_has_no_input_no_output_and_no_clock() -> None:
    impure = [each for each in package_imports() if each.module.layer == "clinical" and each.is_of(*CLINICAL_IS_PURE)]
    assert [f"{each.place} imports {each.name}" for each in impure] == []


@pytest.mark.parametrize("package", ONLY_IN)
def test_an_outside_package_stays_in_its_home(package: str) -> None:
    strays = [each for each in package_imports() if each.is_of(package) and not _is_at_home(each, ONLY_IN[package])]
    assert [f"{each.place} imports {each.name}" for each in strays] == []


def test_fhir_models_are_r4b_and_imported_late() -> None:
    models = [each for each in package_imports() if each.is_of("fhir")]
    wrong = [each for each in models if each.at_top or not each.is_of("fhir.resources.R4B")]
    assert [f"{each.place} imports {each.name}" for each in wrong] == []


def test_nothing_of_the_demo_is_imported_with_the_service() -> None:
    early = [each for each in package_imports() if each.at_top and each.is_of(f"{PACKAGE}.demo", "sekmet")]
    assert [each.place for each in early if each.module.layer != "demo"] == []


@pytest.mark.parametrize(
    ("written", "is_wrong"),
    [
        ("cds_service.clinical.cards", False),
        ("cds_service.application.ports", False),
        ("cds_service.application.invoke", True),
        ("cds_service.web.routes", True),
        ("cds_service.card_files", True),
        ("cds_service", False),
    ],
)
def test_the_check_itself_tells_right_from_wrong(written: str, is_wrong: bool) -> None:
    adapter = next(module for module in package_modules() if module.layer == "fhir")
    assert _is_allowed(Import(adapter, written, 1, at_top=True)) is not is_wrong
