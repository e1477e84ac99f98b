"""Invariant 7: untrusted text becomes no structure, link or HTML, and still reads as it was sent."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.clinical.markdown import SUMMARY_MAX, escape, one_line, shorten

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
MARKS = "-=+*_#>|~`[](){}<>!\\&.:;@0123456789 \t\n\r\u2028\u200b"
nasty = st.text(st.one_of(st.sampled_from(MARKS), st.characters(exclude_categories=["Cs"])), max_size=60)
pieces = st.lists(
    st.sampled_from(
        [
            "- ",
            "1. ",
            "12) ",
            "# ",
            "> ",
            "```",
            "~~~",
            "|a|b|",
            "|-|-|",
            "---",
            "===",
            "    x",
            "<b>",
            "</b>",
            "<!--",
            "&lt;",
            "&#60;",
            "[a](http://x.y)",
            "![a](b)",
            "http://x.y",
            "<http://x.y>",
            "javascript:alert(1)",
            "www.x.y",
            "*a*",
            "__b__",
            "[x]: y",
            "\\",
            "\n",
            "\n\n",
            "\t",
            "word",
            " ",
        ]
    ),
    max_size=8,
).map("".join)


def visible(text: str) -> str:
    """What a reader sees: no control characters, single spaces."""
    return one_line(text).replace("\u2060", "")


def rendered(markdown: str) -> str:
    return RENDERER.render(markdown)


@given(st.one_of(nasty, pieces))
def test_renders_as_one_plain_paragraph_that_reads_as_sent(text):
    shown = rendered(escape(text))
    if not visible(text):
        return
    inner = re.fullmatch(r"<p>(.*)</p>\n", shown, re.DOTALL)
    assert inner, shown
    assert "<" not in inner[1]
    assert visible(html.unescape(inner[1])) == visible(text)


@given(st.one_of(nasty, pieces))
def test_makes_no_structure_inside_a_card(text):
    shown = rendered(f"before\n{escape(text)}\nafter\n\n- {escape(text)}\n- end")
    tags = set(re.findall(r"</?([a-z0-9]+)", shown))
    assert tags <= {"p", "ul", "li"}, shown
    assert shown.count("<ul>") == 1


@pytest.mark.parametrize("link", ["http://x.y", "HTTPS://x.y", "www.x.y", "javascript:x", "mailto:a", "data:text/html"])
def test_breaks_up_what_a_client_would_turn_into_a_link(link):
    assert "\u2060" in escape(link)


def test_puts_text_on_one_line_without_control_characters():
    assert one_line(" a\n\tb\u202e\u200bc\x00 ") == "a b c"


@given(nasty, st.integers(1, SUMMARY_MAX))
def test_shortens_to_the_length_asked_for(text, longest):
    cut = shorten(text, longest)
    assert len(cut) <= longest
    assert cut == text if len(text) <= longest else cut.endswith("…")


def test_cuts_at_a_word():
    assert shorten("one two, three", 10) == "one two…"
    assert len(shorten("x" * 200)) == SUMMARY_MAX < 140
