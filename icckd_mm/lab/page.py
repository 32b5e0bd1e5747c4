"""Writes the parts of a report as Markdown and as one HTML file."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from matplotlib.figure import Figure

from icckd_mm.lab.style import embedded
from icckd_mm.plain_text import plain

STYLE = """body{font:16px/1.5 sans-serif;max-width:66em;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;font-size:14px}
td,th{border:1px solid #999;padding:.2em .6em;text-align:right;vertical-align:top}
td,th{overflow-wrap:anywhere;min-width:3.5em}td:first-child,th:first-child{text-align:left}
h1,h2{overflow-wrap:anywhere}img{max-width:100%}.wide,pre{overflow-x:auto}figure{margin:0}
@media (max-width:40em){pre{white-space:pre-wrap;overflow-wrap:anywhere}table{font-size:11px}td,th{padding:.15em .25em}}
@media (prefers-color-scheme:dark){body{background:#111;color:#eee}img{background:#fff}}"""


@dataclass(frozen=True)
class Block:
    """A section of the report: heading and text, with a table or a figure.

    Attributes:
        title: Heading.
        text: Description.
        table: Rows, the first of them the header.
        figure: The figure.
        file: Its path relative to ``report.md``, without suffix; its name is the anchor of the figure in the page.
        details: Long texts by name, collapsed in the page and left out of the Markdown.
    """

    title: str
    text: str
    table: tuple[tuple[str, ...], ...] = ()
    figure: Figure | None = None
    file: str = ''
    details: tuple[tuple[str, str], ...] = ()


def markdown(title: str, blocks: Sequence[Block]) -> str:
    """The report as Markdown; its figures are files."""
    parts = [f'# {_without_tags(title)}']
    for block in blocks:
        parts += [f'## {_without_tags(block.title)}', _without_tags(block.text)]
        if block.table:
            parts.append(markdown_table(block.table))
        if block.figure is not None:
            parts.append(f'![{_without_tags(block.title)}]({block.file}.png)')
    return '\n\n'.join(parts) + '\n'


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first of them the header, the first column on the left and the others on the right."""
    head, *rest = rows
    rule = ('---', *['---:'] * (len(head) - 1))
    return '\n'.join(f'| {" | ".join(map(_cell, row))} |' for row in (head, rule, *rest))


def _cell(text: str) -> str:
    """Escape characters that would end a table cell."""
    return _without_tags(plain(text, 400)).replace('|', r'\|')


def _without_tags(text: str) -> str:
    """Escape HTML tags in Markdown; the ``<`` of a comparison is kept."""
    return re.sub(r'<(?=[A-Za-z/!?])', '&lt;', text)


def page(title: str, blocks: Sequence[Block]) -> str:
    """The report as one HTML file that loads no other files."""
    parts = [f'<h1>{html.escape(title)}</h1>']
    for block in blocks:
        parts.append(f'<h2>{html.escape(block.title)}</h2>')
        if block.text:
            parts.append(f'<p>{html.escape(block.text)}</p>')
        if block.table:
            rows = [
                '<tr>' + ''.join(f'<{cell}>{html.escape(value)}</{cell}>' for value in row) + '</tr>'
                for cell, row in zip(['th'] + ['td'] * len(block.table), block.table)
            ]
            parts.append(f'<div class="wide"><table>{"".join(rows)}</table></div>')
        if block.figure is not None:
            image = f'<img alt="{html.escape(block.title)}" src="{embedded(block.figure)}">'
            parts.append(f'<figure id="{html.escape(PurePath(block.file).name)}">{image}</figure>')
        for name, text in block.details:
            parts.append(f'<details><summary>{html.escape(name)}</summary><pre>{html.escape(text)}</pre></details>')
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(parts)}</body></html>\n'
