"""Makes untrusted text harmless before it becomes Markdown: no structure, no links, no HTML (invariant 7)."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
"""What begins an element; the "<" of "<0.5" does not and stays readable where Markdown is shown as it is."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")
_START = re.compile(r"^( ?(?:\d{1,9}(?=[.)](?: |$))|(?=[-=]+(?: |$)|[>#+])))([-=.)>#+])")
"""What makes a list, a heading or a quotation where it begins a line."""
_LINK = re.compile(r"(?i)((?:https?|ftp|mailto|xmpp|javascript|data|www)(?=[:.])|@(?=\w))")
SUMMARY_MAX = 139
"""A summary has fewer than 140 characters (CDS Hooks 2.0, card attributes)."""


def escape(text: str) -> str:
    """Plain text as Markdown that renders as just that text."""
    flat = re.sub(r"\s+", " ", _CONTROL.sub(" ", text))
    escaped = _SPECIAL.sub(r"\\\1", _TAG.sub("&lt;", _ENTITY.sub("&amp;", flat)))
    escaped = _START.sub(r"\1\\\2", escaped)
    return _LINK.sub(lambda match: f"{match[1]}\u2060", escaped)


def one_line(text: str) -> str:
    """Plain text on one line, without control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def shorten(text: str, longest: int = SUMMARY_MAX) -> str:
    """At most `longest` characters, cut at a word with an ellipsis."""
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
