"""Names cells whose models are not above what always naming the largest class would give."""

from __future__ import annotations

from collections.abc import Sequence

from icckd_mm.lab.study.cells import CellResults

ROUNDING = 0.01  # points


def guessing(cells: Sequence[CellResults]) -> str:
    """A sentence on the cells with seeds at or below the share of the largest class of their test split.

    Args:
        cells: Cells of one stage; records of earlier versions do not hold the share and are left out.

    Returns:
        The sentence; empty if there is no such cell.
    """
    said = []
    for cell in cells:
        known = [one for one in cell.seeds.values() if 'largest_class' in one]
        low = [one for one in known if one['last_accuracy'] <= one['largest_class'] + ROUNDING]
        if low:
            share = max(one['largest_class'] for one in low)
            said.append(f'{cell.label} ({len(low)} of {len(cell.seeds)} seeds, {share:.2f} %)')
    if not said:
        return ''
    return f' Not above the share of the largest class, as if every image got that class: {", ".join(said)}.'
