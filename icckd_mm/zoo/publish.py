"""From a finished run to a folder that anybody can use."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import DefaultScope

from .card import complexity, metafile, model_card, write_yaml
from .network import Network, take_network
from .standalone_config import standalone_config
from .verify import first_image, verify

FORMATS = ('pth', 'safetensors')


def publish(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str],
    name: str | None = None,
    formats: Sequence[str] = ('pth',),
    ema: bool = False,
    force: bool = False,
) -> list[tuple[str, bool, str]]:
    """Write weights, a plain config, a model card and ``metafile.yml``, and check them as a stranger would.

    The weights file is ``{config}_{YYYYMMDD}-{sha256[:8]}.pth``, ``meta`` and ``state_dict`` in plain containers; the date is
    that of the checkpoint, so the same checkpoint gives the same bytes.

    Args:
        run (str | PathLike): Work dir or checkpoint of a distillation (the student is taken) or of a teacher's training.
        out (str | PathLike): Folder to write.
        name (str, optional): Name of the model. Defaults to that of the config.
        formats (Sequence[str]): Of ``'pth'`` (always written) and ``'safetensors'``.
        ema (bool): Whether to take the averaged weights of ``EMAHook``. Defaults to False.
        force (bool): Whether to replace ``out``. Defaults to False.

    Returns:
        list[tuple[str, bool, str]]: The checks of :func:`icckd_mm.zoo.verify.verify`, all passed.

    Raises:
        ValueError: If ``out`` exists, a format is unknown, or run and checkpoint do not give a network that works.
    """
    out = Path(out)
    unknown = [form for form in formats if form not in FORMATS]
    if unknown:
        raise ValueError(f'formats {unknown} are unknown; choose from {", ".join(FORMATS)}')
    if out.exists() and not force:
        raise ValueError(f'{out} exists; --force replaces it')
    network = take_network(run, ema)
    name = name or Path(str(network.meta.get('experiment_name', 'model'))).name.rsplit('_', 2)[0]
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix='.publish-') as folder:
        beside = Path(folder) / 'entry'
        beside.mkdir()
        _write(network, name, formats, beside)
        checks = verify(beside)
        failed = [f'{what}: {detail}' for what, passed, detail in checks if not passed]
        if failed:
            raise ValueError(f'the published files do not pass their checks, nothing was written: {"; ".join(failed)}')
        if out.exists():
            shutil.rmtree(out)
        os.replace(beside, out)
    return checks


def _write(network: Network, name: str, formats: Sequence[str], folder: Path) -> None:
    from mmpretrain.registry import MODELS

    config = standalone_config(network)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(config.model).eval()
    try:
        model.load_state_dict(network.state)
    except RuntimeError as error:
        raise ValueError(f'config and weights of {network.checkpoint} do not belong together: {error}') from None
    kept = ('epoch', 'iter', 'seed', 'time', 'experiment_name', 'dataset_meta', 'mmengine_version')
    meta = {key: network.meta[key] for key in kept if key in network.meta}
    buffer = io.BytesIO()  # saved through memory: the name is in the hash of a zip written to a file
    torch.save({'meta': meta, 'state_dict': network.state}, buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:8]
    weights = f'{name}_{str(network.meta.get("time", "undated"))[:8]}-{digest}.pth'
    (folder / weights).write_bytes(buffer.getvalue())
    if 'safetensors' in formats:
        _write_safetensors(network, folder / weights.replace('.pth', '.safetensors'))
    config.dump(folder / f'{name}.py')
    sizes = complexity(model, first_image(model, config))
    metrics = _logged_metrics(network)
    (folder / 'metafile.yml').write_text(write_yaml(metafile(name, weights, network, sizes, metrics)), encoding='utf-8')
    (folder / 'README.md').write_text(model_card(name, weights, network, sizes, metrics), encoding='utf-8')
    for log in sorted(network.checkpoint.parent.glob('*/*.log'))[-1:]:
        shutil.copy(log, folder / 'train.log')


def _write_safetensors(network: Network, path: Path) -> None:
    try:
        from safetensors.torch import save_file
    except ImportError:
        raise ValueError("--formats safetensors needs the package safetensors: pip install 'icckd-mm[export]'") from None
    save_file({key: value.contiguous() for key, value in network.state.items()}, path)


def _logged_metrics(network: Network) -> dict[str, float]:
    """The accuracies of the last validation, as the run logged them."""
    logs = sorted(network.checkpoint.parent.glob('*/vis_data/scalars.json'))
    if not logs:
        return {}
    metrics: dict[str, Any] = {}
    for line in logs[-1].read_text(encoding='utf-8').splitlines():
        row = json.loads(line)
        metrics.update({key: value for key, value in row.items() if key.startswith('accuracy/')})
    return metrics
