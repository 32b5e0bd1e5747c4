"""What the version of the code depends on, on a package of two files."""

import pytest

from icckd_mm.lab.experiment import code_version as module
from icckd_mm.lab.experiment.code_version import code_version, syntax

LOOP = '''"""A loop."""

STEPS = 10


class Loop:
    """Trains."""

    rate: float = 0.5
    """Its learning rate."""

    def run(self, x):
        """Run it."""
        return [x * self.rate for _ in range(STEPS)]  # slowly
'''


@pytest.fixture
def version(tmp_path, monkeypatch):
    """Writes files of a package and gives the version of its code."""
    monkeypatch.setattr(module, 'PACKAGE', tmp_path)
    files = {'engine/loop.py': LOOP, 'lab/measures/geometry.py': 'DIGITS = 6\n', 'lab/experiment/plan.py': 'SEEDS = 3\n'}

    def written(changes=()):
        for name, text in {**files, **dict(changes)}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        code_version.cache_clear()
        return code_version()

    yield written
    code_version.cache_clear()


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('"""A loop."""', '"""Another text, on\ntwo lines."""\n\n'),
        ('    """Trains."""\n', ''),
        ('"""Its learning rate."""', '"""How fast it learns."""'),
        ('"""Run it."""', "'Runs.'"),
        ('  # slowly', '  # as fast as it can'),
        ('[x * self.rate for', '[\n            (x * self.rate)\n            for'),
        ('STEPS = 10', 'STEPS = 0xA'),
    ],
)
def test_text_that_does_nothing_keeps_the_version(version, old, new):
    assert LOOP.replace(old, new) != LOOP
    assert version({'engine/loop.py': LOOP.replace(old, new)}) == version()


@pytest.mark.parametrize(
    ('old', 'new'),
    [('STEPS = 10', 'STEPS = 11'), ('0.5', '0'), ('x * self', 'x + self'), ('range(STEPS)', "range('STEPS')"), ('rate', 'lr')],
)
def test_another_constant_operation_or_name_changes_the_version(version, old, new):
    assert version({'engine/loop.py': LOOP.replace(old, new)}) != version()


def test_the_folder_says_what_decides_a_run(version):
    before = version()
    assert version({'lab/experiment/plan.py': 'SEEDS = 4\n', 'lab/style.py': 'A = 1', 'zoo/cards.py': 'A = 1'}) == before
    assert version({'lab/measures/geometry.py': 'DIGITS = 7\n'}) != before
    assert version({'lab/measures/another.py': 'A = 1'}) != before
    assert version({'functional/another.py': 'A = 1'}) != before


def test_constants_that_are_equal_but_not_the_same_differ():
    assert len({repr(syntax(f'x = {value}')) for value in ('1', '1.0', 'True', "'1'", 'None', '...')}) == 6
