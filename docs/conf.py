"""The site: ``make docs``, or ``python -m sphinx -W --keep-going -b html docs build/docs`` with requirements/docs.txt."""

from __future__ import annotations

import runpy
from pathlib import Path

import nbformat
from docutils.nodes import Node
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import icckd_mm  # noqa: F401  # patches mmrazor before autodoc imports it

ROOT = Path(__file__).resolve().parents[1]

project = 'icckd_mm'
author = 'icckd_mm authors'
release = version = runpy.run_path(str(ROOT / 'icckd_mm/version.py'))['__version__']

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.intersphinx',
    'sphinx.ext.mathjax',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'sphinx_copybutton',
    'sphinx_design',
]
exclude_patterns = ['study']  # plans and results of experiments; pages link to what they show
html_theme = 'furo'
html_title = f'{project} {release}'
html_static_path = ['_static']
html_css_files = ['site.css']
html_copy_source = False
html_show_copyright = False

myst_enable_extensions = ['colon_fence', 'dollarmath']
copybutton_prompt_text = '$ '

# Committed, so that a build needs no network; tools/dev/make_inventories.py writes them.
INVENTORIES = {
    'python': 'https://docs.python.org/3/',
    'torch': 'https://docs.pytorch.org/docs/stable/',
    'mmengine': 'https://mmengine.readthedocs.io/en/latest/',
    'mmpretrain': 'https://mmpretrain.readthedocs.io/en/latest/',
    'mmrazor': 'https://mmrazor.readthedocs.io/en/main/',
}
intersphinx_mapping = {name: (site, f'inventories/{name}.inv') for name, site in INVENTORIES.items()}

myst_heading_anchors = 3

autodoc_typehints = 'description'  # types stand in annotations
autodoc_typehints_description_target = 'documented'
autodoc_member_order = 'bysource'
napoleon_custom_sections = ['Source']
napoleon_use_ivar = True


def notebook_as_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """Show the executed notebook of the tutorial, code, what it printed and its figures, as a page."""
    if docname != 'tutorial/from_data_to_student':
        return
    pieces = []
    for cell in nbformat.read(ROOT / f'docs/{docname}.ipynb', as_version=4).cells:
        pieces.append(cell.source if cell.cell_type == 'markdown' else f'```python\n{cell.source}\n```')
        outputs = cell.get('outputs', [])
        printed = ''.join(output.text for output in outputs if output.output_type == 'stream')
        if printed:
            pieces.append(f'```text\n{printed.strip()}\n```')
        images = [output.data['image/png'] for output in outputs if output.output_type == 'display_data']
        pieces += [f'![output of the cell above](data:image/png;base64,{image})' for image in images]
    source[0] = '\n\n'.join([*pieces, source[0]])


def name_in_configs(app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: Node) -> Node | None:
    """Let ``icckd_mm.X``, as configs have it, lead to the one X that is documented."""
    target = node.get('reftarget', '')
    if node.get('refdomain') != 'py' or not target.startswith('icckd_mm.'):
        return None
    domain = env.get_domain('py')
    documented = [name for name, entry in domain.objects.items() if not entry.aliased]
    found = [name for name in documented if name.rpartition('.')[2] == target.rpartition('.')[2]]
    if len(found) != 1:
        return None
    return domain.resolve_xref(env, node['refdoc'], app.builder, node['reftype'], found[0], node, contnode)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect('source-read', notebook_as_page)
    app.connect('missing-reference', name_in_configs)
