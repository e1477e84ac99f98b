"""Reads, checks and tests the card library: the only code that knows YAML and the code tables as files."""
