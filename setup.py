"""Packaging of icckd_mm; configs, tools and the model index travel in ``icckd_mm/.mim``, as in other OpenMMLab packages."""

import runpy
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM = ('configs', 'tools', 'model-index.yml')


class BuildWithMim(build_py):
    """Copies ``configs``, ``tools`` and ``model-index.yml`` beside the built package; the source tree stays untouched."""

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


def requirements(name: str) -> list[str]:
    """The requirement lines of ``requirements/<name>.txt``."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


setup(
    name='icckd-mm',
    version=runpy.run_path(str(ROOT / 'icckd_mm' / 'version.py'))['__version__'],
    description='Intra-class contrastive teachers and their students: knowledge distillation for OpenMMLab',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    keywords='knowledge distillation, contrastive learning, OpenMMLab, mmrazor, mmpretrain',
    python_requires='>=3.9',
    packages=find_packages(include=['icckd_mm', 'icckd_mm.*']),
    package_data={'icckd_mm': ['py.typed']},
    # Neither mmcv nor mmcv-lite is named: both own the module mmcv, and the one that is present must stay (see README).
    install_requires=[
        'torch>=2.1',
        'torchvision>=0.16',
        'numpy>=1.26',
        'mmengine>=0.10.7,<1.0',
        'mmpretrain>=1.2.0,<1.3',
        'mmrazor==1.0.0',
        'matplotlib>=3.7',
        'scipy',
        'joblib',  # imported by mmrazor, which does not declare it
        'scikit-learn',
        'setuptools',  # mmengine imports distutils, gone from Python 3.12
    ],
    extras_require={
        'lite': ['mmcv-lite>=2.0,<=2.1'],
        'dev': requirements('dev'),
        'viz': ['tensorboard'],
        'export': ['onnx', 'onnxscript', 'onnxruntime', 'safetensors'],
    },
    classifiers=[
        'Development Status :: 3 - Alpha',
        'License :: OSI Approved :: Apache Software License',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    cmdclass={'build_py': BuildWithMim},
)
