"""The only code that knows SQL: cards served, feedback, token ids seen."""
