"""What a release is made of agrees."""

import runpy
from pathlib import Path

import pytest

from tools.dev.release_notes import notes

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG = '# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-02-01\n\n- Second.\n\n## [1.0.0] - 2026-01-31\n\n- First.\n'
CITATION = 'version: 1.1.0\n'


def test_the_notes_are_those_of_the_tag():
    assert notes('v1.1.0', '1.1.0', CHANGELOG, CITATION) == '- Second.'


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(tag='v1.0.0'), 'the tag v1.0.0 does not name version 1.1.0'),
        (dict(citation='version: 1.0.0\n'), 'CITATION.cff does not name version 1.1.0'),
        (
            dict(changelog=CHANGELOG.replace('[Unreleased]\n', '[Unreleased]\n\n- New.\n')),
            'still lists changes under Unreleased',
        ),
        (dict(changelog=CHANGELOG.replace(' - 2026-02-01', '')), 'has no heading "## .1.1.0. - YEAR-MONTH-DAY"'),
    ],
)
def test_a_release_that_does_not_agree_is_refused(change, message):
    given = dict(tag='v1.1.0', version='1.1.0', changelog=CHANGELOG, citation=CITATION)
    with pytest.raises(ValueError, match=message):
        notes(**{**given, **change})


def test_version_and_citation_agree_and_the_version_has_a_date():
    version = runpy.run_path(str(ROOT / 'icckd_mm/version.py'))['__version__']
    assert f'\nversion: {version}\n' in (ROOT / 'CITATION.cff').read_text()
    assert f'\n## [{version}] - 20' in (ROOT / 'CHANGELOG.md').read_text()
