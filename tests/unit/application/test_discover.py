"""Which services are offered and which one a call is for."""

from __future__ import annotations

import pytest

from cds_service.application.discover import discover_services, find_service, service_of_hook
from cds_service.errors import UnknownService
from tests.spec.fakes import SERVICES


def test_the_order_is_always_the_same():
    assert discover_services(SERVICES) == discover_services(reversed(SERVICES))
    assert {service.id for service in discover_services(SERVICES)} == {service.id for service in SERVICES}


def test_finds_a_service_by_id_and_by_hook():
    assert find_service(SERVICES, "leukopenia-order-sign").hook == "order-sign"
    assert service_of_hook(SERVICES, "order-sign").id == "leukopenia-order-sign"


@pytest.mark.parametrize("find", [find_service, service_of_hook])
def test_says_so_without_repeating_what_was_asked_for(find):
    with pytest.raises(UnknownService) as raised:
        find(SERVICES, "Smith")
    assert "Smith" not in str(raised.value)
