#!/usr/bin/env python
"""Turn the tutorial's script into its notebook and execute it, three minutes on two quiet cores: ``make tutorial``."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

SCRIPT = Path(__file__).with_name('from_data_to_student.py')
ROOT = SCRIPT.parents[2]


def notebook() -> nbformat.NotebookNode:
    """The notebook of the script, without outputs; the same script gives the same bytes."""
    made = jupytext.read(SCRIPT)
    made.metadata.pop('jupytext', None)
    for number, cell in enumerate(made.cells):
        cell.id = f'cell-{number}'
    return made


def kept(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The outputs of a cell that are committed: printed text as one, and figures; neither stderr nor the text of objects."""
    printed = ''.join(output.text for output in outputs if output.get('name') == 'stdout')
    images = [output.data['image/png'].strip() for output in outputs if 'image/png' in output.get('data', {})]
    figures = [nbformat.v4.new_output('display_data', data={'image/png': image}) for image in images]
    return [nbformat.v4.new_output('stream', name='stdout', text=printed), *figures] if printed else figures


def main() -> Path:
    """Write and execute the notebook.

    Returns:
        The notebook; it holds what the cells printed, and their figures.
    """
    made = notebook()
    metadata = made.metadata.copy()
    NotebookClient(made, timeout=1800, record_timing=False, resources={'metadata': {'path': str(ROOT)}}).execute()
    made.metadata = metadata  # without the version of Python
    for cell in made.cells:
        if cell.cell_type == 'code':
            cell.outputs = kept(cell.outputs)
    path = SCRIPT.with_suffix('.ipynb')
    nbformat.write(made, path)
    return path


if __name__ == '__main__':
    print(main())
