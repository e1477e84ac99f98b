"""The only code that knows FHIR JSON: prefetch, the FHIR client, reading charts, writing suggested resources."""
