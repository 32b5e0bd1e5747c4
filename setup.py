"""Copies ``configs``, ``tools`` and the model index into ``icckd_mm/.mim``, as other OpenMMLab packages do.

Everything else is in pyproject.toml.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM = ('configs', 'tools', 'model-index.yml')


class BuildWithMim(build_py):
    """Puts ``MIM`` beside the built package; the source tree stays untouched."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # the repository itself is used then
            return
        target = Path(self.build_lib) / 'icckd_mm' / '.mim'
        shutil.rmtree(target, ignore_errors=True)
        for name in MIM:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, target / name, ignore=shutil.ignore_patterns('__pycache__'))
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target / name)


setup(cmdclass={'build_py': BuildWithMim})
