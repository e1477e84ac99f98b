"""HTTP only: routes, JSON Schemas, rendering of cards, the error table, client authentication."""
