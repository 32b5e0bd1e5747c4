"""Makes text from a file safe to write into other files or to print."""

from __future__ import annotations

import html
import re
import unicodedata

CONTROL = ('C', 'Zl', 'Zp')  # control, format (can reverse text), private, and line and paragraph separators
BREAKING = ('Cc', 'Cs', 'Zl', 'Zp')  # control characters, halves of characters, separators of lines and paragraphs
REVERSING = ('LRE', 'RLE', 'LRO', 'RLO', 'PDF', 'LRI', 'RLI', 'FSI', 'PDI')
MARKDOWN = re.compile(r'([\\`*_{}\[\]#|~$])')


def plain(text: object, longest: int = 200) -> str:
    """Text on one line, without control characters and characters that reverse the reading direction.

    Args:
        text: Any value.
        longest: Maximum number of characters.

    Example:
        >>> plain('two\\nlines\\x1b[31m \\u202ered')
        'two lines [31m red'
    """
    given = str(text)
    one_line = ' '.join(given[: 4 * longest].split())
    kept = ''.join(' ' if unicodedata.category(one).startswith(CONTROL) else one for one in one_line)
    kept = ' '.join(kept.split())
    return kept if len(kept) <= longest and len(given) <= 4 * longest else f'{kept[: longest - 3]}...'


def is_one_line(text: str) -> bool:
    """Whether text stays on its line and in its reading direction; spaces anywhere and the joiners of emoji do.

    Example:
        >>> is_one_line(' two  words '), is_one_line('two\\twords'), is_one_line('\\u202ered')
        (True, False, False)
    """
    return not any(unicodedata.category(one) in BREAKING or unicodedata.bidirectional(one) in REVERSING for one in text)


def in_markdown(text: object, longest: int = 200) -> str:
    """Text escaped for a paragraph or table of Markdown; GitHub and others render HTML in it.

    Example:
        >>> in_markdown('a|b <script> `c`')
        'a\\\\|b &lt;script&gt; \\\\`c\\\\`'
    """
    return MARKDOWN.sub(r'\\\1', html.escape(plain(text, longest), quote=False))


def is_file_name(text: object) -> bool:
    """Whether text is a valid file name everywhere and has no special characters of shells, Python or Markdown.

    Example:
        >>> is_file_name('resnet8x4_icc-v1.0'), is_file_name('../up'), is_file_name('a b'), is_file_name("x')")
        (True, False, False, False)
    """
    return isinstance(text, str) and re.fullmatch(r'[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}', text) is not None
