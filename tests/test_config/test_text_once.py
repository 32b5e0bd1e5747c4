"""Real configs, formatted by mmengine."""

from mmengine.config import Config
from mmengine.config import config as module
from yapf.yapflib import yapf_api

from icckd_mm.config.text_once import KEPT, format_once, remembering


def test_a_config_is_formatted_once_and_its_text_is_the_same(monkeypatch):
    formatted = []
    original = yapf_api.FormatCode

    def counted(*args, **kwargs):
        formatted.append(args)
        return original(*args, **kwargs)

    cfg = Config(dict(model=dict(type='ImageClassifier', widths=list(range(30))), seed=0))
    monkeypatch.setattr(module, 'FormatCode', original)
    expected = cfg.pretty_text
    monkeypatch.setattr(module, 'FormatCode', counted)
    format_once()
    format_once()
    assert [cfg.pretty_text for _ in range(3)] == [expected] * 3
    assert len(formatted) == 1
    cfg.seed = 1
    assert 'seed = 1' in cfg.pretty_text


def test_only_the_last_few_answers_are_kept():
    asked = []
    function = remembering(lambda number: asked.append(number) or number)
    for number in (*range(KEPT), 0, KEPT, 0):
        assert function(number) == number
    assert asked == [*range(KEPT), KEPT, 0]
