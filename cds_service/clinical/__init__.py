"""The domain: counts, fever, exposure, facts, rules, verdicts, cards. Pure: no I/O, no clock, no FHIR JSON, no YAML."""
