"""Reads the part `quiet` of presentation.yaml: whether, how long and for which rules an answered card stays away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cds_service.card_files.yaml_files import line_of
from cds_service.clinical.quiet_policy import QuietPolicy
from cds_service.errors import CardFileError

MEMBERS = frozenset({"enabled", "overridden_days", "accepted_hours", "never"})
LONGEST_DAYS = 30
"""A site may only shorten it (clinical specification, presentation 6)."""


def read_quiet(given: Any, path: Path) -> QuietPolicy | None:
    """The policy; None where it is switched off or left out. Raises: CardFileError."""
    if given is None:
        return None
    try:
        policy = _policy(given)
    except ValueError as fault:
        raise CardFileError(f"quiet: {fault}", path=path, line=line_of(path, "quiet:")) from None
    return policy if given["enabled"] else None


def _policy(given: Any) -> QuietPolicy:
    if not isinstance(given, Mapping) or set(given) != MEMBERS:
        raise ValueError(f"needs exactly the members {', '.join(sorted(MEMBERS))}")
    if given["enabled"] is not True and given["enabled"] is not False:
        raise ValueError("enabled must be true or false")
    if not (isinstance(given["never"], list) and all(isinstance(name, str) for name in given["never"])):
        raise ValueError("never must be a list of rule ids")
    return QuietPolicy(
        overridden=timedelta(days=_whole(given, "overridden_days", LONGEST_DAYS)),
        accepted=timedelta(hours=_whole(given, "accepted_hours", LONGEST_DAYS * 24)),
        never=frozenset(given["never"]),
    )


def _whole(given: Mapping[str, Any], name: str, most: int) -> int:
    value = given[name]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 0 to {most}")
    return value
