"""What a client's prefetch makes known: which of our keys are answered, which failed, and by which resources.

Resources are recognised by what they are, whatever key they came under; a key decides only where they cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.clinical.chart import DataProblem, PrefetchKey
from cds_service.clinical.codings import CodeSystem, codes_of
from cds_service.clinical.terminology import Analyte, Terminology
from cds_service.fhir.arrivals import Arrival, Entry, Sent, inner_bundles, read_arrival
from cds_service.fhir.codes import read_concept, read_concepts
from cds_service.fhir.json_access import mappings
from cds_service.fhir.pool import Delivery, Item, contained_results
from cds_service.fhir.searches import KEY_OF_TYPE, OBSERVATION_KEYS, TELLING, Search, key_of_analyte
from cds_service.fhir.whose import Owner, PatientIdentity

TYPE_OF_KEY = {key: kind for kind, key in KEY_OF_TYPE.items()} | dict.fromkeys(OBSERVATION_KEYS, "Observation")
READ_BY_ID = frozenset({PrefetchKey.PATIENT, PrefetchKey.ENCOUNTER})
NO_KNOWN_CODE = "what was sent holds no temperature with a code that is known"
BROKEN_ANSWER = "no entry of what was sent could be read"
NOT_RECOGNISED = "none of the results that were sent was recognised as a cell count"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What arrived under one name. `key` is ours where the name is ours, or the site has said that it stands for it.

    `body` is the first page as it was sent.
    """

    name: str
    arrival: Arrival
    key: PrefetchKey | None = None
    fetched: bool = False
    body: object = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One parcel's word on one key: all there, or why not."""

    key: PrefetchKey
    reason: str | None
    own: bool = False
    fetched: bool = False


def read_prefetch(prefetch: Mapping[str, Any], names: Mapping[str, str]) -> list[Parcel]:
    """Every prefetch value, classified. `names` maps a site's own key names to ours."""
    return [parcel for name, value in prefetch.items() for parcel in _parcels(name, value, key_named(name, names))]


def _parcels(name: str, value: object, key: PrefetchKey | None) -> list[Parcel]:
    """One parcel; a batch response under a foreign key is as many as it holds answers."""
    answers = inner_bundles(value) if key is None else []
    if not answers:
        return [Parcel(name, read_arrival(value), key, body=value)]
    return [Parcel(f"{name}[{n}]", read_arrival(answer), body=answer) for n, answer in enumerate(answers)]


def key_named(name: str, names: Mapping[str, str]) -> PrefetchKey | None:
    known = names.get(name, name)
    return PrefetchKey(known) if known in {key.value for key in PrefetchKey} else None


@dataclass(frozen=True, slots=True)
class Sorting:
    """Sorts the parcels of one patient."""

    patient: PatientIdentity
    terminology: Terminology

    @classmethod
    def of(cls, patient_id: str, terminology: Terminology, parcels: Iterable[Parcel]) -> Sorting:
        entries = (entry for parcel in parcels for entry in parcel.arrival.entries)
        return cls(PatientIdentity.of(patient_id, entries), terminology)

    def deliveries(self, parcels: Iterable[Parcel]) -> list[Delivery]:
        return [
            Delivery(
                parcel.arrival.entries,
                scoped=self._is_scoped(parcel),
                patient_read=parcel.key is PrefetchKey.PATIENT or parcel.arrival.single,
            )
            for parcel in parcels
        ]

    def _is_scoped(self, parcel: Parcel) -> bool:
        """True where the query behind a parcel asked for this patient only."""
        search = Search.read(parcel.arrival.self_url)
        if search is not None and search.patients():
            return search.is_of(self.patient.id)
        return parcel.key is not None

    def reasons(self, parcels: Iterable[Parcel]) -> dict[PrefetchKey, str | None]:
        """The keys that something is known of: None where all of it is there, else why not.

        What a FHIR read brought outweighs prefetch; a key's own answer outweighs what came under other names.
        """
        weighed: dict[PrefetchKey, tuple[int, str | None]] = {}
        for claim in (claim for parcel in parcels for claim in self.claims(parcel)):
            weight = 2 if claim.fetched else 1 if claim.own else 0
            before = weighed.get(claim.key)
            if before is None or weight > before[0] or (weight == before[0] and before[1] is None):
                weighed[claim.key] = (weight, claim.reason)
        return {key: reason for key, (_, reason) in weighed.items()}

    def claims(self, parcel: Parcel) -> list[Claim]:
        """What a parcel says about which keys."""
        if parcel.key is not None:
            return [*self._own_claims(parcel, parcel.key), *self._claims_by_content(parcel, besides=parcel.key)]
        return self._claims_by_content(parcel)

    def _own_claims(self, parcel: Parcel, key: PrefetchKey) -> list[Claim]:
        arrival = parcel.arrival
        if arrival.state is Sent.FOUND and not self._holds(arrival, key):
            return [Claim(key, f"what was sent holds no {TYPE_OF_KEY[key]}", True, parcel.fetched)]
        if self._is_of_another(arrival) or (key is PrefetchKey.CELL_COUNTS and self._holds_only_others(arrival)):
            return [Claim(key, "what was sent is about another patient", True, parcel.fetched)]
        if _is_broken(arrival):
            return [Claim(key, BROKEN_ANSWER, True, parcel.fetched)]
        reason = arrival.reason or self._unrecognised(arrival, key)
        return [Claim(key, reason, True, parcel.fetched)]

    def _holds(self, arrival: Arrival, key: PrefetchKey) -> bool:
        search = Search.read(arrival.self_url)
        asked = search is not None and key in search.answers(self.terminology)
        return asked or any(entry.type in (TYPE_OF_KEY[key], "Broken") for entry in _with_contained(arrival.entries))

    def _is_of_another(self, arrival: Arrival) -> bool:
        search = Search.read(arrival.self_url)
        return search is not None and search.is_of_another(self.patient.id)

    def _holds_only_others(self, arrival: Arrival) -> bool:
        """What is another's is set aside and changes nothing; but counts are not known to be none by it."""
        owners = {self.patient.owner_of(entry.resource) for entry in arrival.entries if not entry.included}
        return owners == {Owner.OTHER}

    def _unrecognised(self, arrival: Arrival, key: PrefetchKey) -> str | None:
        if key is PrefetchKey.CELL_COUNTS:
            return self._unrecognised_counts(arrival)
        return self._unrecognised_temperature(arrival) if key is PrefetchKey.VITAL_SIGNS else None

    def _unrecognised_temperature(self, arrival: Arrival) -> str | None:
        """A temperature in a code of the house may be a fever, unless another one is there to be read."""
        found = [read_concept(e.resource.get("code")) for e in arrival.entries if e.type == "Observation"]
        analytes = [self.terminology.analyte_of(concept.codings) for concept in found]
        if Analyte.TEMP in analytes:
            return None
        said = [w for c, analyte in zip(found, analytes, strict=True) if analyte is None for w in c.all_words]
        return NO_KNOWN_CODE if any("temperature" in words.lower() for words in said) else None

    def _unrecognised_counts(self, arrival: Arrival) -> str | None:
        """Results in a laboratory's own codes may be counts: then it is not known that there are none."""
        observed = [entry for entry in _with_contained(arrival.entries) if entry.type == "Observation"]
        if not observed or any(PrefetchKey.CELL_COUNTS in self._keys_of_observation(entry) for entry in observed):
            return None
        coded = all(codes_of(read_concept(e.resource.get("code")).codings, CodeSystem.LOINC) for e in observed)
        return None if coded else NOT_RECOGNISED

    def _claims_by_content(self, parcel: Parcel, besides: PrefetchKey | None = None) -> list[Claim]:
        arrival = parcel.arrival
        if arrival.state is Sent.FAILED or self._is_of_another(arrival):
            return []
        keys = self._keys_of_search(arrival, self._is_scoped(parcel))
        return [Claim(key, arrival.reason) for key in keys if key is not besides]

    def _keys_of_search(self, arrival: Arrival, scoped: bool) -> set[PrefetchKey]:
        """By the search itself where its URL was sent, else by what it brought."""
        search = Search.read(arrival.self_url)
        asked = search.answers(self.terminology) if search is not None else frozenset[PrefetchKey]()
        matches = sum(not entry.included for entry in arrival.entries)
        if search is not None and search.asked_for_fewer(matches, arrival.total):
            return set()
        if search is not None and (asked or search.type in ("Observation", *KEY_OF_TYPE)):
            return set(asked)
        return self._keys_of_content(arrival, scoped)

    def _keys_of_content(self, arrival: Arrival, scoped: bool) -> set[PrefetchKey]:
        """What is set aside tells nothing; a lone resource was read, not searched for, and tells only of itself."""
        accepted = {Owner.PATIENT, Owner.UNSTATED} if scoped else {Owner.PATIENT}
        ours = [e for e in arrival.entries if not e.included and self.patient.owner_of(e.resource) in accepted]
        found = {key for entry in _with_contained(ours) for key in self._keys_told_by(entry)}
        return found & READ_BY_ID if arrival.single else found

    def _keys_of_entry(self, entry: Entry) -> set[PrefetchKey]:
        if entry.type == "Observation":
            return self._keys_of_observation(entry)
        key = KEY_OF_TYPE.get(entry.type)
        return {key} if key is not None else set()

    def _keys_told_by(self, entry: Entry) -> set[PrefetchKey]:
        """A haemoglobin alone does not show that leukocytes were looked for, nor a pulse a temperature."""
        keys = self._keys_of_entry(entry)
        if entry.type != "Observation" or not keys & {PrefetchKey.CELL_COUNTS, PrefetchKey.VITAL_SIGNS}:
            return keys
        holders = [entry.resource, *mappings(entry.resource.get("component"))]
        analytes = {self.terminology.analyte_of(read_concept(holder.get("code")).codings) for holder in holders}
        return keys if analytes & TELLING else set()

    def _keys_of_observation(self, entry: Entry) -> set[PrefetchKey]:
        analyte = self.terminology.analyte_of(read_concept(entry.resource.get("code")).codings)
        if analyte is not None:
            return {key for key in (key_of_analyte(analyte),) if key is not None}
        categories = {c.code for concept in read_concepts(entry.resource.get("category")) for c in concept.codings}
        if "vital-signs" in categories:
            return {PrefetchKey.VITAL_SIGNS}
        return {PrefetchKey.LAB_RESULTS} if not categories or "laboratory" in categories else set()


def _is_broken(arrival: Arrival) -> bool:
    """True where something was found and none of it can be read."""
    matches = [entry for entry in arrival.entries if not entry.included]
    return bool(matches) and all(entry.type == "Broken" for entry in matches)


def _with_contained(entries: Iterable[Entry]) -> list[Entry]:
    """Results inside a report or a panel tell as much as those beside it."""
    return [one for entry in entries for one in (entry, *map(_entry, contained_results(Item(entry.resource, ""))))]


def _entry(item: Item) -> Entry:
    return Entry(item.resource)


def problems_of(parcels: Iterable[Parcel]) -> list[DataProblem]:
    """Values under our keys that were no FHIR at all."""
    return [
        DataProblem("unreadable-prefetch", parcel.name, "What was sent under this prefetch key is not FHIR JSON.")
        for parcel in parcels
        if parcel.key is not None and parcel.arrival.garbage
    ]
