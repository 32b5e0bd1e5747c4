"""Deep JSON and YAML are refused before a parser follows them, also where mmrazor has raised the limit of recursion."""

import sys
import time

import pytest
import yaml

from icckd_mm.nested_text import parse_json, parse_yaml

DEEP = {'open': '[' * 200_000, 'closed': '[' * 200_000 + ']' * 200_000, 'in a key': '{"a": ' + '{"[": ' * 200_000}


@pytest.fixture(autouse=True)
def as_mmrazor_does():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(2**20)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize('parse', [parse_json, parse_yaml])
@pytest.mark.parametrize('text', DEEP.values(), ids=DEEP)
def test_deep_texts_are_refused_at_once(parse, text):
    start = time.monotonic()
    with pytest.raises(ValueError, match=r'^it is nested too deeply$'):
        parse(text)
    assert time.monotonic() - start < 20  # a bound for a hang


def test_yaml_blocks_count_too():
    with pytest.raises(ValueError, match='nested too deeply'):
        parse_yaml('- ' * 5000 + 'x')


FLAT = ['[' * 100 + ']' * 100, '[' + '[],' * 500 + '{}]', '{"' + '[' * 500 + '\\"[[": "{{{"}', '"[[["']


@pytest.mark.parametrize('text', FLAT)
def test_brackets_side_by_side_and_in_strings_are_not_depth(text):
    assert parse_json(text) == parse_json(text.encode()) == yaml.safe_load(text)


@pytest.mark.parametrize('content', ['', b'\xff', '{', '[1,]'])
def test_what_is_not_json_is_a_value_error(content):
    with pytest.raises(ValueError, match=r'.'):
        parse_json(content)
