"""leukopenia-cds: a CDS Hooks service for leukopenia and neutropenia on FHIR R4."""

__version__ = "0.1.0"
