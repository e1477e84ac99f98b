"""Writes the story of a demo patient as FHIR R4 resources, dated relative to `now`.

The words of a story file and their meaning are documented in patients/README.md. A member that is not known there is
an error, so that a misspelt fact is never dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from cds_service.demo.codes import (
    HL7,
    Json,
    concept,
    condition_concept,
    hl7_concept,
    known,
    quantity,
)
from cds_service.demo.errors import DemoError

CLINICIAN = "Practitioner/demo-clinician"
STORY_MEMBERS = (
    *("id", "name", "story", "gender", "age", "observations", "conditions"),
    *("medications", "procedures", "allergies", "orders", "draft"),
)
AGE_PATTERN = re.compile(r"(\d+(?:\.\d+)?)(min|h|d)")
AGE_UNITS = {"min": "minutes", "h": "hours", "d": "days"}


def clinician() -> Json:
    """The clinician who ordered everything and whose screen the demo stands for."""
    return {
        "resourceType": "Practitioner",
        "id": CLINICIAN.partition("/")[2],
        "active": True,
        "name": [{"family": "Demo", "given": ["Clinician"]}],
    }


def duration(text: str | None) -> timedelta:
    """A length of time such as "90min", "2h" or "9d". Raises: DemoError."""
    match = AGE_PATTERN.fullmatch(text or "")
    if match is None:
        raise DemoError(f"{text!r} is not a length of time; write for example 90min, 2h or 9d.")
    return timedelta(**{AGE_UNITS[match[2]]: float(match[1])})


def unpack(item: Mapping[str, Any], *names: str) -> list[Any]:
    """The named members of an item, None where absent. Raises: DemoError on any other member."""
    if unknown := sorted(set(item) - set(names)):
        raise DemoError(f"Unknown member {', '.join(unknown)}; here are allowed: {', '.join(names)}.")
    return [item.get(name) for name in names]


def birth_date(age: int, today: date) -> str:
    """A birth date that makes somebody `age` years old for months to come."""
    birthday = today - timedelta(days=100)
    return birthday.replace(year=birthday.year - age, day=min(birthday.day, 28)).isoformat()


class ChartWriter:
    """Writes one chart. Each kind of resource is numbered, so that the same story always has the same ids."""

    def __init__(self, story: Mapping[str, Any], now: datetime) -> None:
        unpack(story, *STORY_MEMBERS)
        self.story, self.now = story, now
        self.patient_id = str(story["id"])
        self.resources: list[Json] = [self._patient()]
        self._numbers: dict[str, int] = {}
        self._active_orders: dict[str, Json] = {}

    def write(self) -> list[Json]:
        """All resources of the chart; the draft is not one of them."""
        self._add("Encounter", status="in-progress", period={"start": self._ago("1h")}, **{"class": _AMBULATORY})
        for member, add in (
            ("observations", self._observations),
            ("conditions", self._condition),
            ("medications", self._medication),
            ("procedures", self._procedure),
            ("orders", self._order),
            ("allergies", self._allergy),
        ):
            for item in self.story.get(member, ()):
                add(item)
        return self.resources

    def draft(self) -> Json | None:
        """The order that the clinician is writing, None where the story has none. Call it after `write`."""
        draft = self.story.get("draft")
        if draft is None:
            return None
        drug, dose, test, stopped, reason = unpack(draft, "drug", "dose_mg", "test", "stop", "reason")
        if stopped is not None:
            return self._active_orders[stopped] | {"status": "stopped", "statusReason": concept("reasons", reason)}
        authored = self._ago("0d")
        if test is not None:
            return self._about_patient(
                "ServiceRequest", status="draft", authoredOn=authored, **self._order_members(concept("tests", test))
            )
        return self._medication_request(drug, dose, "draft", authored)

    # -- one method per kind of fact

    def _patient(self) -> Json:
        family, given = str(self.story["name"]).split(", ")
        return {
            "resourceType": "Patient",
            "id": self.patient_id,
            "active": True,
            "name": [{"use": "official", "family": family, "given": [given], "text": f"{given} {family}"}],
            "gender": self.story["gender"],
            "birthDate": birth_date(self.story["age"], self.now.date()),
        }

    def _observations(self, draw: Mapping[str, Any]) -> None:
        at = self._ago(draw["ago"])
        for word, value in draw.items():
            if word != "ago":
                self._observation(word, value, at)

    def _observation(self, word: str, value: Any, at: str) -> None:
        row = known("observations", word)
        category = "vital-signs" if row.get("vital") else "laboratory"
        code = concept("observations", word)
        measured = self._value(row, value)
        if word == "systolic":
            code, measured = _BLOOD_PRESSURE, {"component": [{"code": code} | measured]}
        self._add(
            "Observation",
            status="final",
            category=[hl7_concept("observation-category", category)],
            code=code,
            effectiveDateTime=at,
            **measured,
        )

    def _value(self, row: Mapping[str, Any], value: Any) -> Json:
        """A number in the usual unit, {"value", "unit"} in another, or a text."""
        if isinstance(value, str):
            return {"valueCodeableConcept": {"text": value}}
        number, unit = unpack(value, "value", "unit") if isinstance(value, Mapping) else (value, row["unit"])
        measured: Json = {"valueQuantity": quantity(number, unit)}
        if "low" in row:
            measured["referenceRange"] = [{"low": quantity(row["low"], row["unit"])}]
        return measured

    def _condition(self, item: Mapping[str, Any]) -> None:
        word, onset, stage = unpack(item, "condition", "onset", "stage")
        self._add(
            "Condition",
            clinicalStatus=hl7_concept("condition-clinical", "active"),
            verificationStatus=hl7_concept("condition-ver-status", "confirmed"),
            category=[hl7_concept("condition-category", "problem-list-item")],
            code=condition_concept(word),
            onsetDateTime=self._ago(onset),
            stage=[{"summary": {"text": stage}}] if stage else None,
        )

    def _medication(self, item: Mapping[str, Any]) -> None:
        drug, dose, status, started, ended, given = unpack(
            item, "drug", "dose_mg", "status", "started", "ended", "given"
        )
        period = {"start": self._ago(started)} | ({"end": self._ago(ended)} if ended else {})
        order = self._medication_request(drug, dose, status or "active", period["start"], period)
        self.resources.append(order)
        self._active_orders[drug] = order
        for ago in given or ():
            self._administration(drug, dose, order, ago)

    def _administration(self, drug: str, dose: float, order: Json, ago: str) -> None:
        route = concept("routes", known("drugs", drug)["route"])
        self._add(
            "MedicationAdministration",
            status="completed",
            medicationCodeableConcept=concept("drugs", drug),
            effectiveDateTime=self._ago(ago),
            request={"reference": f"MedicationRequest/{order['id']}"},
            dosage={"route": route, "dose": quantity(dose, "mg")},
        )

    def _medication_request(
        self, drug: str, dose: float | None, status: str, authored: str, period: Json | None = None
    ) -> Json:
        row = known("drugs", drug)
        if dose is None:
            raise DemoError(f"{drug} has no dose_mg.")
        dosage: Json = {
            "text": f"{dose} mg {row['route']}",
            "route": concept("routes", row["route"]),
            "doseAndRate": [{"doseQuantity": quantity(dose, "mg")}],
        }
        repeat: Json = {} if row["route"] == "intravenous" else {"frequency": 1, "period": 1, "periodUnit": "d"}
        if period:
            repeat["boundsPeriod"] = period
        if repeat:
            dosage["timing"] = {"repeat": repeat}
        return self._about_patient(
            "MedicationRequest",
            status=status,
            intent="order",
            medicationCodeableConcept=concept("drugs", drug),
            authoredOn=authored,
            requester={"reference": CLINICIAN},
            dosageInstruction=[dosage],
        )

    def _procedure(self, item: Mapping[str, Any]) -> None:
        word, ago = unpack(item, "procedure", "ago")
        self._add("Procedure", status="completed", code=concept("procedures", word), performedDateTime=self._ago(ago))

    def _order(self, item: Mapping[str, Any]) -> None:
        test, due_in = unpack(item, "test", "due_in")
        due = _instant(self.now + duration(due_in))
        members = self._order_members(concept("tests", test)) | {"occurrenceDateTime": due}
        self._add("ServiceRequest", status="active", authoredOn=self._ago("1d"), **members)

    def _order_members(self, code: Json) -> Json:
        return {"intent": "order", "code": code, "requester": {"reference": CLINICIAN}}

    def _allergy(self, drug: str) -> None:
        self._add(
            "AllergyIntolerance",
            clinicalStatus=hl7_concept("allergyintolerance-clinical", "active"),
            verificationStatus=hl7_concept("allergyintolerance-verification", "confirmed"),
            category=["medication"],
            code=concept("drugs", drug),
        )

    # -- building blocks

    def _add(self, kind: str, **members: Any) -> None:
        self.resources.append(self._about_patient(kind, **members))

    def _about_patient(self, kind: str, **members: Any) -> Json:
        """A resource about the patient; members that are None are left out."""
        self._numbers[kind] = number = self._numbers.get(kind, 0) + 1
        subject = "patient" if kind == "AllergyIntolerance" else "subject"
        return {
            "resourceType": kind,
            "id": f"{self.patient_id}-{kind.lower()}-{number}",
            subject: {"reference": f"Patient/{self.patient_id}"},
        } | {name: value for name, value in members.items() if value is not None}

    def _ago(self, ago: str | None) -> str:
        return _instant(self.now - duration(ago))


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


_AMBULATORY = {"system": f"{HL7}v3-ActCode", "code": "AMB", "display": "ambulatory"}
_BLOOD_PRESSURE = concept("observations", "blood pressure")
