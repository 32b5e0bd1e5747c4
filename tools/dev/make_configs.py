#!/usr/bin/env python
"""Write the configs of the benchmark, data set by data set and pair by pair, and the commands in docs/reproduce.md.

The files are checked in; run this after a change of the grid: ``python tools/dev/make_configs.py``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.dev.benchmark_grid import BENCHMARKS, CKD, FAMILIES, GENERATED, LOW_RATE, RELATIVES, WIDTHS, Benchmark  # noqa: E402
from tools.dev.reproduce_tables import MARK, reproduce  # noqa: E402


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
    """Settings that adapt a network to the data set."""
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
    note = '# Two views as for the ICC teacher, but loss weight 0: the effect of the second view alone\n'
    return f"{note}_base_ = '../teacher/{bench.name('icc', net)}.py'\n\n{HOOK.format(0)}"


def sample_wise(bench: Benchmark) -> Iterator[tuple[str, str]]:
    """CKD for the benchmark's and for its own number of epochs, from the CE and from the ICC teacher."""
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
    """The configs that a study of that data set compares: CE, ICC and MCMI teachers and the usual students."""
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
        argv (Sequence[str], optional): Command line arguments. Defaults to ``sys.argv[1:]``.

    Returns:
        list[Path]: The files written.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT, help='folder for configs/ and docs/ (default: the repository)')
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
