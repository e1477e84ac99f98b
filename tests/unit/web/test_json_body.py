"""Bodies that are no JSON, too deep, or ambiguous."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import InvalidHookRequest
from cds_service.web.json_body import DEEPEST, parse_json_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=6))
def test_reads_every_object_back(document):
    assert parse_json_object(orjson.dumps(document)) == document
    assert parse_json_object(orjson.dumps(document, option=orjson.OPT_INDENT_2)) == document


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": 1} {"b": 2}',
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\\ud800"}',
        b"{/* note */}",
    ],
)
def test_rejects_what_is_no_json_object(body):
    with pytest.raises(InvalidHookRequest):
        parse_json_object(body)


def test_says_where_the_fault_is_and_not_what_stands_there():
    with pytest.raises(InvalidHookRequest, match=r"line 2, column \d+") as raised:
        parse_json_object(b'{"name": "Smith",\n oops}')
    assert "Smith" not in str(raised.value)
    assert "oops" not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 2}',
        b'{"a":1,"a":2}',
        b'{"context":{"patientId":"1","patientId":"2"}}',
        b'{"a":[{"b" : 1, "b"\n: 2}]}',
        b'{"a":"text \\": here","b":1,"b":2}',
    ],
)
def test_rejects_repeated_members(body):
    with pytest.raises(InvalidHookRequest, match="twice"):
        parse_json_object(body)


@pytest.mark.parametrize(
    "body", [b'{"a":"one \\": two","b":{"a":1}}', b'{"a" : "x", "b":[{"a":1},{"a":2}]}', b'{"a":"\\\\","b":1}']
)
def test_accepts_members_that_only_look_repeated(body):
    assert parse_json_object(body) == orjson.loads(body)


@pytest.mark.parametrize("opening", [b'{"a":', b"["])
def test_rejects_nesting_bombs(opening):
    deep = (
        b'{"x":' + opening * (DEEPEST + 5) + b"1" + (b"}" if opening.startswith(b"{") else b"]") * (DEEPEST + 5) + b"}"
    )
    with pytest.raises(InvalidHookRequest):
        parse_json_object(deep)
    with pytest.raises(InvalidHookRequest):
        parse_json_object(b'{"x":' + opening * 200_000)


def test_tolerates_a_byte_order_mark():
    assert parse_json_object(b"\xef\xbb\xbf{}") == {}
