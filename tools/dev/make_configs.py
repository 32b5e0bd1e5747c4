#!/usr/bin/env python
"""Write the configs of the benchmark, data set by data set and pair by pair, and the commands in docs/reproduce.md.

The files are checked in; run this after a change of the grid: ``python tools/dev/make_configs.py``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.dev.reproduce_tables import MARK, reproduce  # noqa: E402

Pair = tuple[str, str]

SAME_FAMILY: tuple[Pair, ...] = (
    ('wrn40-2', 'wrn16-2'),
    ('wrn40-2', 'wrn40-1'),
    ('resnet56', 'resnet20'),
    ('resnet110', 'resnet20'),
    ('resnet110', 'resnet32'),
    ('resnet32x4', 'resnet8x4'),
    ('vgg13', 'vgg8'),
)
OTHER_FAMILY: tuple[Pair, ...] = (
    ('vgg13', 'mobilenetv2'),
    ('resnet50', 'mobilenetv2'),
    ('resnet50', 'vgg8'),
    ('resnet32x4', 'shufflenetv1'),
    ('resnet32x4', 'shufflenetv2'),
    ('wrn40-2', 'shufflenetv1'),
)
FAMILIES = {'Same family': SAME_FAMILY, 'Other family': OTHER_FAMILY}
# Weight, temperature and batch of CKD by pair, as published with its code (Zhu et al. 2024, arXiv 2404.14109)
CKD: dict[Pair, tuple[int, int, int]] = {
    ('resnet56', 'resnet20'): (10, 1, 64),
    ('resnet110', 'resnet32'): (10, 1, 64),
    ('resnet32x4', 'resnet8x4'): (100, 1, 64),
    ('wrn40-2', 'wrn16-2'): (100, 1, 64),
    ('vgg13', 'vgg8'): (100, 1, 64),
    ('wrn40-2', 'wrn40-1'): (50, 2, 32),
    ('resnet32x4', 'shufflenetv2'): (100, 1, 64),
    ('resnet32x4', 'shufflenetv1'): (100, 1, 32),
    ('wrn40-2', 'shufflenetv1'): (100, 1, 32),
    ('resnet50', 'mobilenetv2'): (100, 1, 32),
    ('vgg13', 'mobilenetv2'): (50, 2, 32),
}
RELATIVES: tuple[Pair, ...] = (('wrn40-2', 'wrn16-2'), ('resnet32x4', 'resnet8x4'), ('vgg13', 'vgg8'))  # PCKD, regions, MCMI
WIDTHS = {'wrn40-2': 128, 'resnet32x4': 256, 'vgg13': 512}  # of the pooled features, same for their students
LOW_RATE = ('mobilenetv2', 'shufflenetv1', 'shufflenetv2')  # the benchmark trains them with 0.01 in place of 0.05


@dataclass(frozen=True)
class Benchmark:
    """What is trained on a data set, and which parts of ``configs/_base_`` it is put together from.

    Attributes:
        data: The data set, as its part and the configs' names call it.
        pairs: Teachers and students.
        classes: Number of classes; None where the networks' parts have it already.
        batch: GPUs and images on each, as in the configs' names.
        epochs: Length of a training from scratch.
        schedule: Part with the schedule; its short form for fine-tuning is ``finetune``.
        finetune: See ``schedule``.
        models: Folder of the networks.
        distill: Part with the distiller.
        ce_weight: Weight of the student's cross-entropy beside the soft labels; None leaves it at 1.
        low_rate: Whether mobile students get the benchmark's lower learning rate.
        vgg_pools: Max poolings in a VGG; None for the usual number.
    """

    data: str
    pairs: tuple[Pair, ...]
    classes: int | None = None
    batch: str = '1xb64'
    epochs: int = 240
    schedule: str = 'cifar_240e'
    finetune: str = 'cifar_finetune_20e'
    models: str = 'models'
    distill: str = 'kd_logits'
    ce_weight: float | None = 0.1
    low_rate: bool = True
    vgg_pools: int | None = None

    @property
    def teachers(self) -> list[str]:
        return list(dict.fromkeys(teacher for teacher, _ in self.pairs))

    @property
    def students(self) -> list[str]:
        return list(dict.fromkeys(student for _, student in self.pairs))

    def name(self, *parts: str) -> str:
        """Name of a config."""
        return '_'.join([*parts, self.batch, self.data])

    def last_epoch(self, *parts: str) -> str:
        """Where training with that config leaves its last checkpoint."""
        return f'work_dirs/{self.name(*parts)}/epoch_{self.epochs}.pth'


BENCHMARKS = (
    Benchmark('cifar100', SAME_FAMILY + OTHER_FAMILY),
    Benchmark('cifar10', SAME_FAMILY, classes=10),
    Benchmark('tiny-imagenet', SAME_FAMILY, classes=200, vgg_pools=4),
    Benchmark(
        'in1k',
        (('resnet34', 'resnet18'), ('resnet50', 'mobilenetv2')),
        batch='8xb32',
        epochs=100,
        schedule='in1k_100e',
        finetune='in1k_finetune_20e',
        models='models/in1k',
        distill='kd_logits_in1k',
        ce_weight=0.5,
        low_rate=False,
    ),
)

GENERATED = Benchmark(
    'multi-view',
    (('resnet20', 'resnet8'),),
    classes=10,
    batch='1xb32',
    epochs=20,
    schedule='multi-view_20e',
    low_rate=False,
)


def configs(bench: Benchmark) -> Iterator[tuple[str, str]]:
    """Path below ``configs/icckd`` and text of every config of a data set."""
    for net in dict.fromkeys([*bench.teachers, *bench.students]):
        yield f'baseline/{bench.name("ce", net)}.py', alone(bench, net)
    for net in bench.teachers:
        yield f'teacher/{bench.name("icc", net)}.py', contrastive(bench, net)
        yield f'teacher/{bench.name("icc-ft", net)}.py', finetuned(bench, net)
        yield f'baseline/{bench.name("ce-2view", net)}.py', control(bench, net)
    for teacher, student in bench.pairs:
        kd = bench.name('kd_logits', teacher, student)
        icckd = bench.name('icckd-kd_logits', teacher, student)
        yield f'distill/{kd}.py', distilled(bench, teacher, student)
        yield f'distill/{icckd}.py', other_teacher(kd, bench.last_epoch('icc', teacher))
        yield f'distill/{bench.name("icckd-kd-rkd_logits-neck", teacher, student)}.py', with_part(icckd, 'rkd_neck', 'rkd')


def bases(*parts: str) -> str:
    return ''.join(['_base_ = [\n', *(f"    '../../_base_/{part}.py',\n" for part in (*parts, 'runtime')), ']\n'])


def variable(net: str) -> str:
    return net.replace('-', '_')


def fitted(bench: Benchmark, net: str, model: str) -> str:
    """What fits a network to the data set."""
    lines = '' if bench.classes is None else f'{model}.head.num_classes = {bench.classes}\n'
    if bench.vgg_pools is not None and net.startswith('vgg'):
        lines += f'{model}.backbone.pools = {bench.vgg_pools}\n'
    return lines


def rate(bench: Benchmark, net: str) -> str:
    return 'optim_wrapper = dict(optimizer=dict(lr=0.01))\n' if bench.low_rate and net in LOW_RATE else ''


def alone(bench: Benchmark, net: str) -> str:
    base = bases(f'datasets/{bench.data}', f'{bench.models}/{net}', f'schedules/{bench.schedule}')
    return f'{base}model = _base_.{variable(net)}\n{fitted(bench, net, "model")}{rate(bench, net)}'


HOOK = """custom_hooks = [
    dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight={}))
]
"""


def contrastive(bench: Benchmark, net: str, schedule: str = '') -> str:
    base = bases(f'datasets/{bench.data}_two_views', f'{bench.models}/{net}', f'schedules/{schedule or bench.schedule}')
    return f'{base}model = _base_.{variable(net)}\n{fitted(bench, net, "model")}{HOOK.format(0.02)}'


def finetuned(bench: Benchmark, net: str) -> str:
    return f"{contrastive(bench, net, bench.finetune)}load_from = '{bench.last_epoch('ce', net)}'\n"


def control(bench: Benchmark, net: str) -> str:
    note = '# Two views as for the ICC teacher, but no weight on the loss: shows what the second view does by itself\n'
    return f"{note}_base_ = '../teacher/{bench.name('icc', net)}.py'\n\n{HOOK.format(0)}"


def sample_wise(bench: Benchmark) -> Iterator[tuple[str, str]]:
    """CKD at the benchmark's length and at its own, from the CE and from the ICC teacher."""
    for (teacher, student), (weight, temperature, batch) in CKD.items():
        for method, schedule in (('ckd', bench.schedule), ('ckd-480e', 'cifar_480e')):
            plain = replace(bench, distill='ckd_logits', ce_weight=None, schedule=schedule)
            name = replace(bench, batch=f'1xb{batch}').name(f'{method}_logits', teacher, student)
            lines = (
                f'_base_.model.distiller.distill_losses.loss_ckd.update(temperature={temperature}.0, loss_weight={weight}.0)\n'
            )
            if batch != 64:
                lines += f'train_dataloader = dict(batch_size={batch})\n'
            yield f'distill/{name}.py', distilled(plain, teacher, student).replace('model = dict(', f'{lines}model = dict(', 1)
            yield f'distill/icckd-{name}.py', other_teacher(name, bench.last_epoch('icc', teacher))


def relatives(bench: Benchmark) -> Iterator[tuple[str, str]]:
    """PCKD in one view and in the published four, contrast of regions, and the MCMI teacher and its student."""
    for teacher, student in RELATIVES:
        methods = {'pckd_logits-neck': 'pckd', 'pckd-4rot_logits-neck': 'pckd_rotations', 'ms_backbone': 'multi_scale'}
        for method, part in methods.items():
            name = bench.name(method, teacher, student)
            text = distilled(replace(bench, distill=part, ce_weight=None), teacher, student)
            if method.startswith('pckd'):
                width = WIDTHS[teacher]
                lines = f'_base_.model.distiller.connectors.mlp.update(in_dims={width}, out_dims={width})\n'
                lines += f'_base_.model.distiller.distill_losses.loss_cc.update(student_dims={width}, teacher_dims={width})\n'
                if '4rot' in method:
                    lines += f"_base_.{variable(student)}.head.loss.type = 'icckd_mm.FirstViewCrossEntropyLoss'\n"
                    lines += "data_preprocessor = dict(type='icckd_mm.RotationDataPreprocessor')\n"
                text = text.replace('model = dict(', f'{lines}model = dict(', 1)
            yield f'distill/{name}.py', text
            yield f'distill/icckd-{name}.py', other_teacher(name, bench.last_epoch('icc', teacher))
        yield f'teacher/{bench.name("mcmi", teacher)}.py', enriched(bench, teacher)
        kd = bench.name('kd_logits', teacher, student)
        mcmi = replace(bench, epochs=20).last_epoch('mcmi', teacher)
        yield f'distill/mcmi-{kd}.py', other_teacher(kd, mcmi)


def studied(bench: Benchmark) -> Iterator[tuple[str, str]]:
    """What a study of that data set compares: CE, ICC and MCMI teachers and the usual students."""
    for net in dict.fromkeys([*bench.teachers, *bench.students]):
        yield f'baseline/{bench.name("ce", net)}.py', alone(bench, net)
    for net in bench.teachers:
        yield f'teacher/{bench.name("icc", net)}.py', contrastive(bench, net)
        yield f'teacher/{bench.name("mcmi", net)}.py', enriched(bench, net)
    for pair in bench.pairs:
        kd, ckd = bench.name('kd_logits', *pair), bench.name('ckd_logits', *pair)
        icckd, icc = f'icckd-{kd}', bench.last_epoch('icc', pair[0])
        yield f'distill/{kd}.py', distilled(bench, *pair)
        yield f'distill/{ckd}.py', distilled(replace(bench, distill='ckd_logits', ce_weight=None), *pair)
        yield f'distill/{icckd}.py', other_teacher(kd, icc)
        yield f'distill/icckd-{ckd}.py', other_teacher(ckd, icc)
        yield f'distill/{bench.name("icckd-kd-rkd_logits-neck", *pair)}.py', with_part(icckd, 'rkd_neck', 'rkd')
        sizes = '_base_.crd.distill_losses.loss_crd.update(sample_n=500, neg_num=256)\n'
        yield f'distill/{bench.name("icckd-kd-crd_logits-neck", *pair)}.py', with_part(icckd, 'crd', 'crd', sizes)
        yield f'distill/{bench.name("icckd-dkd_logits", *pair)}.py', with_part(icckd, 'dkd', 'dkd')


def enriched(bench: Benchmark, net: str) -> str:
    """MCMI: 20 epochs from the CE teacher."""
    loss = f"model.head.loss = dict(type='icckd_mm.MCMILoss', num_classes={bench.classes or 100}, kl_weight=0.25)\n"
    start = f"load_from = '{bench.last_epoch('ce', net)}'\n"
    return alone(replace(bench, schedule=bench.finetune), net) + loss + start


def distilled(bench: Benchmark, teacher: str, student: str) -> str:
    networks = [f'{bench.models}/{net}' for net in (teacher, student)]
    base = bases(f'datasets/{bench.data}', *networks, f'distill/{bench.distill}', f'schedules/{bench.schedule}')
    fits = ''.join(fitted(bench, net, f'_base_.{variable(net)}') for net in (teacher, student))
    if bench.ce_weight is not None:
        fits += f'_base_.{variable(student)}.head.loss.loss_weight = {bench.ce_weight}  # the soft labels have the rest\n'
    return (
        f'{base}{fits}'
        'model = dict(\n'
        f'    architecture=_base_.{variable(student)},\n'
        f'    teacher=_base_.{variable(teacher)},\n'
        f"    teacher_ckpt='{bench.last_epoch('ce', teacher)}',\n"
        ')\n'
        f"{rate(bench, student)}val_cfg = dict(type='icckd_mm.DistillValLoop')\n"
    )


def other_teacher(base: str, checkpoint: str) -> str:
    return f"_base_ = '{base}.py'\n\nmodel = dict(teacher_ckpt='{checkpoint}')\n"


def with_part(base: str, part: str, distiller: str, lines: str = '') -> str:
    """A distillation with an addition from ``configs/_base_/distill``."""
    return f"_base_ = ['{base}.py', '../../_base_/distill/{part}.py']\n\n{lines}model = dict(distiller=_base_.{distiller})\n"


def main(argv: Sequence[str] | None = None) -> list[Path]:
    """Write everything.

    Args:
        argv (Sequence[str], optional): Command line without the name of the program. Defaults to ``sys.argv[1:]``.

    Returns:
        list[Path]: The files written.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT, help='where configs/ and docs/ go (default: the repository)')
    args = parser.parse_args(argv)
    texts = {f'configs/icckd/{path}': text for bench in BENCHMARKS for path, text in configs(bench)}
    texts |= {f'configs/icckd/{path}': text for make in (sample_wise, relatives) for path, text in make(BENCHMARKS[0])}
    texts |= {f'configs/icckd/{path}': text for path, text in studied(GENERATED)}
    prose, _, _ = (ROOT / 'docs/reproduce.md').read_text(encoding='utf-8').partition(MARK)
    texts['docs/reproduce.md'] = f'{prose}{MARK}\n{reproduce(BENCHMARKS[0], FAMILIES)}'
    for path, text in texts.items():
        file = args.out / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding='utf-8')
    return [args.out / path for path in texts]


if __name__ == '__main__':
    print(f'{len(main())} files')
