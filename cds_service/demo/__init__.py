"""The demonstration: an embedded FHIR server, synthetic patients, and a tour of the hooks with a table of the cards."""
