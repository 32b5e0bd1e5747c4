"""The distillers by name; each is a function from a pair to the parts of a config, at its published settings.

A function also gets the names of the other distillers of a mix, since some published mixes weigh their terms differently.
"""

from __future__ import annotations

from typing import Callable

from icckd_mm.compose.distillers.dot import dot
from icckd_mm.compose.distillers.features.ab import ab, ab_pretrain
from icckd_mm.compose.distillers.features.at import at
from icckd_mm.compose.distillers.features.fitnet import fitnet
from icckd_mm.compose.distillers.features.ft import ft, ft_pretrain
from icckd_mm.compose.distillers.features.mmrazor_maps import cwd, fbkd, mgd, pkd
from icckd_mm.compose.distillers.features.ms import ms
from icckd_mm.compose.distillers.features.nst import nst
from icckd_mm.compose.distillers.features.ofd import ofd
from icckd_mm.compose.distillers.features.reviewkd import reviewkd
from icckd_mm.compose.distillers.features.simkd import simkd
from icckd_mm.compose.distillers.features.vid import vid
from icckd_mm.compose.distillers.features.wkd_f import wkd_f
from icckd_mm.compose.distillers.logits.ckd import ckd
from icckd_mm.compose.distillers.logits.ctkd import ctkd
from icckd_mm.compose.distillers.logits.dist import dist
from icckd_mm.compose.distillers.logits.dkd import dkd
from icckd_mm.compose.distillers.logits.hard_label import hard_label
from icckd_mm.compose.distillers.logits.kd import kd
from icckd_mm.compose.distillers.logits.lskd import dkd_lskd, lskd
from icckd_mm.compose.distillers.logits.mlkd import kd_2view, kd_2view_480e, mlkd, mlkd_480e
from icckd_mm.compose.distillers.logits.nkd import nkd
from icckd_mm.compose.distillers.logits.ofa import ofa
from icckd_mm.compose.distillers.logits.pckd import pckd, pckd_4rot
from icckd_mm.compose.distillers.logits.sdd import dkd_sdd, sdd
from icckd_mm.compose.distillers.logits.soft_ce import soft_ce
from icckd_mm.compose.distillers.logits.subclass import lelp, subclass
from icckd_mm.compose.distillers.logits.ttm import ttm, wttm
from icckd_mm.compose.distillers.logits.uskd import uskd
from icckd_mm.compose.distillers.logits.wkd import wkd
from icckd_mm.compose.distillers.logits.wsld import wsld
from icckd_mm.compose.distillers.relations.cc import cc
from icckd_mm.compose.distillers.relations.crd import crd
from icckd_mm.compose.distillers.relations.pkt import pkt
from icckd_mm.compose.distillers.relations.rkd import rkd
from icckd_mm.compose.distillers.relations.sp import sp
from icckd_mm.compose.parts import Pair, Parts, merged

Distiller = Callable[[Pair, frozenset[str]], Parts]

DISTILLERS: dict[str, Distiller] = {
    'ab': ab,
    'ab-pretrain': ab_pretrain,
    'at': at,
    'cc': cc,
    'ckd': ckd,
    'crd': crd,
    'ctkd': ctkd,
    'cwd': cwd,
    'dist': dist,
    'dkd': dkd,
    'dkd-lskd': dkd_lskd,
    'dkd-sdd': dkd_sdd,
    'dot': dot,
    'fbkd': fbkd,
    'fitnet': fitnet,
    'ft': ft,
    'ft-pretrain': ft_pretrain,
    'hard-label': hard_label,
    'kd': kd,
    'kd-2view': kd_2view,
    'kd-2view-480e': kd_2view_480e,
    'lelp': lelp,
    'lskd': lskd,
    'mgd': mgd,
    'mlkd': mlkd,
    'mlkd-480e': mlkd_480e,
    'ms': ms,
    'nkd': nkd,
    'nst': nst,
    'ofa': ofa,
    'ofd': ofd,
    'pckd': pckd,
    'pckd-4rot': pckd_4rot,
    'pkd': pkd,
    'pkt': pkt,
    'reviewkd': reviewkd,
    'rkd': rkd,
    'sdd': sdd,
    'simkd': simkd,
    'soft-ce': soft_ce,
    'sp': sp,
    'subclass': subclass,
    'ttm': ttm,
    'uskd': uskd,
    'vid': vid,
    'wkd': wkd,
    'wkd-f': wkd_f,
    'wsld': wsld,
    'wttm': wttm,
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
