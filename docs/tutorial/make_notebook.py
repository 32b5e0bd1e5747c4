#!/usr/bin/env python
"""Turn the tutorial's script into its notebook and execute it, a minute or two on one core: ``make tutorial``."""

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


def main() -> Path:
    """Write and execute the notebook.

    Returns:
        Path: The notebook; it holds what the cells printed.
    """
    made = notebook()
    metadata = made.metadata.copy()
    NotebookClient(made, timeout=600, record_timing=False, resources={'metadata': {'path': str(ROOT)}}).execute()
    made.metadata = metadata  # without the version of Python
    for cell in made.cells:
        if cell.cell_type == 'code':  # progress bars and stderr are left out
            cell.outputs = [output for output in cell.outputs if output.get('name') == 'stdout']
    path = SCRIPT.with_suffix('.ipynb')
    nbformat.write(made, path)
    return path


if __name__ == '__main__':
    print(main())
