"""The part `quiet` of presentation.yaml: what it may say, and what a fault in it is called."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.card_files.library import read_presentation
from cds_service.clinical.quiet_policy import QuietPolicy
from cds_service.errors import CardFileError
from tests.places import ROOT

SHIPPED = (ROOT / "cards" / "presentation.yaml").read_text("utf-8")
BEFORE, _, AFTER = SHIPPED.partition("quiet:\n")
REST = AFTER[AFTER.index("\nsummary_title") + 1 :]
GOOD = {"enabled": "true", "overridden_days": "30", "accepted_hours": "24", "never": "[a-rule]"}


@pytest.fixture
def read(tmp_path):
    def read_with(quiet: str) -> QuietPolicy | None:
        path = tmp_path / "presentation.yaml"
        path.write_text(f"{BEFORE}{quiet}\n{REST}", "utf-8")
        return read_presentation(path).quiet

    return read_with


def written(**changes) -> str:
    return f"quiet: {{{', '.join(f'{name}: {value}' for name, value in {**GOOD, **changes}.items())}}}"


def test_the_shipped_library_is_quiet_for_as_long_as_the_specification_allows(tmp_path):
    policy = read_presentation(ROOT / "cards" / "presentation.yaml").quiet
    assert (policy.overridden, policy.accepted) == (timedelta(days=30), timedelta(hours=24))


def test_reads_how_long_an_answer_counts_and_what_is_always_shown(read):
    policy = read(written(overridden_days="7", accepted_hours="2"))
    assert policy == QuietPolicy(timedelta(days=7), timedelta(hours=2), frozenset({"a-rule"}))
    assert policy.longest == timedelta(days=7)
    assert read(written(overridden_days="0", accepted_hours="720")).longest == timedelta(days=30)


def test_is_off_where_it_is_switched_off_or_left_out(read):
    assert read(written(enabled="false")) is None
    assert read("") is None
    assert read("quiet: null") is None


@pytest.mark.parametrize(
    ("quiet", "fault"),
    [
        ("quiet: true", "needs exactly the members accepted_hours, enabled, never, overridden_days"),
        ("quiet: {enabled: true}", "needs exactly the members"),
        (written(more="1"), "needs exactly the members"),
        (written(enabled="sometimes"), "enabled must be true or false"),
        (written(enabled="1"), "enabled must be true or false"),
        (written(overridden_days="31"), "overridden_days must be a whole number from 0 to 30"),
        (written(overridden_days="-1"), "overridden_days must be"),
        (written(overridden_days="1.5"), "overridden_days must be"),
        (written(overridden_days="true"), "overridden_days must be"),
        (written(accepted_hours="721"), "accepted_hours must be a whole number from 0 to 720"),
        (written(never="a-rule"), "never must be a list of rule ids"),
        (written(never="[1]"), "never must be a list of rule ids"),
        (written(enabled="false", overridden_days="soon"), "overridden_days must be"),
    ],
)
def test_names_what_is_wrong_and_where(read, quiet, fault):
    with pytest.raises(CardFileError, match=fault) as raised:
        read(quiet)
    assert str(raised.value).startswith(str(raised.value.path))
    assert raised.value.line == BEFORE.count("\n") + 1
