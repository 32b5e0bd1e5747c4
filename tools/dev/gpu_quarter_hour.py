#!/usr/bin/env python
"""Ask one GPU in a few minutes what only a GPU can answer: correctness, speed, and a study (docs/gpu.md)."""

from __future__ import annotations

import site
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
if (ROOT.parent / 'site').is_dir():  # of a bundle
    site.addsitedir(str(ROOT.parent / 'site'))

if __name__ == '__main__':
    from benchmarks.gpu.command import main

    sys.exit(main(Path(__file__).resolve()))
