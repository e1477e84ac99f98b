"""Conditions and allergies as the chart has them. Refuted and mistaken entries are left out."""

from __future__ import annotations

from cds_service.clinical.allergies import UNNAMED_SUBSTANCE
from cds_service.clinical.chart import Allergy, Problem
from cds_service.clinical.moments import Moment
from cds_service.clinical.terminology import Terminology
from cds_service.fhir.codes import Concept, read_concept, read_concepts, statuses_said
from cds_service.fhir.json_access import Json, mappings
from cds_service.fhir.pool import Item
from cds_service.fhir.read_times import at_age, read_moment, read_timing_or_moment

NOT_SO = frozenset({"refuted", "entered-in-error"})
SO = frozenset({"confirmed", "unconfirmed", "presumed", "provisional", "differential"})
ACTIVE = frozenset({"active", "recurrence", "relapse"})
OVER = frozenset({"inactive", "remission", "in-remission", "resolved"})


def read_condition(item: Item, terminology: Terminology, born: Moment | None) -> Problem | None:
    """A missing or unrecognised clinical status counts as active unless an end is stated."""
    resource = item.resource
    if _is_not_so(resource):
        return None
    concept = read_concept(resource.get("code"))
    return Problem(
        kinds=terminology.condition_kinds(concept.codings, concept.text),
        text=concept.words or "condition without a name",
        active=_is_active(resource),
        source=item.source,
        onset=_onset(resource, born),
        recorded=_recorded(resource),
        stage=_stage(resource),
    )


def _is_not_so(resource: Json) -> bool:
    """Where codings disagree, the entry stands."""
    said = statuses_said(resource.get("verificationStatus"))
    return bool(said & NOT_SO) and not said & SO


def _is_active(resource: Json) -> bool:
    """A status that says neither, such as a code of the house, counts as none."""
    said = statuses_said(resource.get("clinicalStatus"))
    if said & (ACTIVE | OVER):
        return bool(said & ACTIVE)
    return not any(name.startswith("abatement") and value not in (None, False) for name, value in resource.items())


def _onset(resource: Json, born: Moment | None) -> Moment | None:
    return read_timing_or_moment(resource, "onset") or at_age(resource.get("onsetAge"), born)


def _recorded(resource: Json) -> Moment | None:
    """recordedDate; assertedDate in STU3."""
    return read_moment(resource.get("recordedDate")) or read_moment(resource.get("assertedDate"))


def _stage(resource: Json) -> str | None:
    """The words of all stages and their types."""
    stages = mappings(resource.get("stage"))
    concepts = [read_concept(stage.get(name)) for stage in stages for name in ("summary", "type")]
    words = [word for concept in concepts for word in concept.all_words]
    return "; ".join(dict.fromkeys(words)) or None


def read_allergy(item: Item, terminology: Terminology) -> Allergy | None:
    """Active allergies only; a missing or unrecognised status counts as active."""
    resource = item.resource
    if _is_not_so(resource) or not _is_active(resource):
        return None
    substances = [read_concept(resource.get("code")), *_reaction_substances(resource)]
    matches = [terminology.match_drugs(c.codings, c.text, None) for c in substances if c]
    drugs = tuple(dict.fromkeys(drug for match in matches for drug in match.drugs))
    words = {word.casefold(): word for substance in substances for word in substance.all_words}
    return Allergy(item.source, drugs, "; ".join(words.values()) or UNNAMED_SUBSTANCE)


def _reaction_substances(resource: Json) -> list[Concept]:
    reactions = mappings(resource.get("reaction"))
    return [concept for reaction in reactions for concept in read_concepts(reaction.get("substance"))]
