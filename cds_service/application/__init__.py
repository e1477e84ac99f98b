"""Use cases and the ports they need. Knows the domain; knows nothing of HTTP, FHIR JSON, YAML or SQL."""
