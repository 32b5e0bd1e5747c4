#!/usr/bin/env python
"""Print the section of CHANGELOG.md that belongs to a tag; fail unless tag, version, citation and date agree."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def notes(tag: str, version: str, changelog: str, citation: str) -> str:
    """The section of a release.

    Args:
        tag: Such as ``v0.2.0``.
        version: Version of the package.
        changelog: Text of CHANGELOG.md.
        citation: Text of CITATION.cff.

    Returns:
        The section, without its heading.

    Raises:
        ValueError: If the four do not agree, or changes are still listed under *Unreleased*.

    Example:
        >>> notes('v1.0.0', '1.0.0', '## [Unreleased]\\n\\n## [1.0.0] - 2026-01-31\\n\\n- First.\\n', 'version: 1.0.0\\n')
        '- First.'
    """
    if tag != f'v{version}':
        raise ValueError(f'the tag {tag} does not name version {version}; tag v{version}, or change icckd_mm/version.py')
    if f'version: {version}\n' not in citation:
        raise ValueError(f'CITATION.cff does not name version {version}; set it there too')
    sections = dict(re.findall(r'(?ms)^## \[([^\]]+)\]([^\n]*\n.*?)(?=^## \[|\Z)', changelog))
    if sections.get('Unreleased', '').strip():
        raise ValueError(f'CHANGELOG.md still lists changes under Unreleased; move them to [{version}]')
    dated, _, body = sections.get(version, '').partition('\n')
    if not re.fullmatch(r' - \d{4}-\d{2}-\d{2}', dated):
        raise ValueError(f'CHANGELOG.md has no heading "## [{version}] - YEAR-MONTH-DAY"; add it')
    return body.strip()


def main(argv: Sequence[str] | None = None) -> int:
    (tag,) = sys.argv[1:] if argv is None else argv
    version = runpy.run_path(str(ROOT / 'icckd_mm/version.py'))['__version__']
    changelog, citation = ((ROOT / name).read_text(encoding='utf-8') for name in ('CHANGELOG.md', 'CITATION.cff'))
    try:
        print(notes(tag, version, changelog, citation))
    except ValueError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
