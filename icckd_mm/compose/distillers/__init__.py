"""The distillers by name; each is a function from a pair to the parts of a config, at its published settings.

A function also gets the names of the other distillers of a mix, since some published mixes weigh their terms differently.
"""

from __future__ import annotations

from typing import Callable

from icckd_mm.compose.distillers.cc import cc
from icckd_mm.compose.distillers.crd import crd
from icckd_mm.compose.distillers.kd import kd
from icckd_mm.compose.distillers.nst import nst
from icckd_mm.compose.distillers.pkt import pkt
from icckd_mm.compose.distillers.reviewkd import reviewkd
from icckd_mm.compose.distillers.rkd import rkd
from icckd_mm.compose.distillers.sp import sp
from icckd_mm.compose.distillers.vid import vid
from icckd_mm.compose.parts import Pair, Parts, merged

Distiller = Callable[[Pair, frozenset[str]], Parts]

DISTILLERS: dict[str, Distiller] = {
    'cc': cc,
    'crd': crd,
    'kd': kd,
    'nst': nst,
    'pkt': pkt,
    'reviewkd': reviewkd,
    'rkd': rkd,
    'sp': sp,
    'vid': vid,
}


def mix(names: list[str], pair: Pair) -> Parts:
    """The parts of one distiller or of a mix.

    Args:
        names: Keys of ``DISTILLERS``, without repetition.
        pair: The networks.

    Returns:
        The parts together.

    Raises:
        ValueError: If a name is unknown, or a distiller does not fit the pair or the others.
    """
    unknown = [name for name in names if name not in DISTILLERS]
    if unknown or not names or len(set(names)) < len(names):
        raise ValueError(f'distillers must be different names of {", ".join(sorted(DISTILLERS))}, got {"-".join(names)!r}')
    return merged([DISTILLERS[name](pair, frozenset(names) - {name}) for name in names])
