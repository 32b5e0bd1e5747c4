# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From a folder of images to a published student
#
# You train two teachers on photographs, one with and one without the intra-class contrastive (ICC) loss, look at what the loss
# changes, distil a student from each, and publish one of them. It takes about three minutes on a quiet CPU. One run per model
# shows how things work, not which teacher is better.
#
# The notebook is made of `from_data_to_student.py`; change the script and run `make tutorial`.

# %%
# %matplotlib inline
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain import ImageClassificationInferencer
from mmpretrain.registry import DATASETS
from PIL import Image
from sklearn.datasets import load_digits

from icckd_mm.lab.analysis.curve_figures import curves_figure
from icckd_mm.lab.analysis.curves import read_log
from icckd_mm.lab.analysis.feature_figures import features_figure
from icckd_mm.lab.analysis.run import named_runs

warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')  # mmcv-lite, of no use here
os.environ['OMP_NUM_THREADS'] = '1'
if Path.cwd().name == 'tutorial':  # Jupyter starts in the notebook's folder
    os.chdir('../..')
SOURCE = Path(os.environ.get('TUTORIAL_SOURCE', 'data/cifar10-jpeg'))  # train/<class>/*.jpg and test/<class>/*.jpg
FOLDER = Path(os.environ.get('TUTORIAL_DIR', 'work_dirs/tutorial'))
EPOCHS = int(os.environ.get('TUTORIAL_EPOCHS', '12'))
IMAGES = int(os.environ.get('TUTORIAL_IMAGES', '600'))  # training images per class

# %% [markdown]
# ## The images
#
# One folder for training and one for validation, in each one folder per class. Here they are four classes of CIFAR-10 as JPEG
# files, or scikit-learn's digits if those files are missing. For your own images leave out this cell and put them there.

# %%
shutil.rmtree(FOLDER / 'images', ignore_errors=True)


def keep(image, part, name, number):
    """Write an image to the folder of its class."""
    folder = FOLDER / 'images' / part / name
    folder.mkdir(parents=True, exist_ok=True)
    image.convert('RGB').save(folder / f'{number:04d}.png')


if SOURCE.exists():
    for name in ('automobile', 'truck', 'cat', 'dog'):
        for part, source, count in (('train', 'train', IMAGES), ('val', 'test', IMAGES // 2)):
            for number, file in enumerate(sorted((SOURCE / source / name).iterdir())[:count]):
                keep(Image.open(file), part, name, number)
else:
    digits = load_digits()
    for number, (levels, label) in enumerate(zip(digits.images[: 10 * IMAGES], digits.target)):
        image = Image.fromarray((levels * (255 / 16)).round().astype('uint8')).resize((32, 32))
        keep(image, 'val' if number % 7 == 0 else 'train', f'digit {label}', number)

CLASSES = sorted(folder.name for folder in FOLDER.glob('images/train/*'))
FILES = {part: sorted(FOLDER.glob(f'images/{part}/*/*.png')) for part in ('train', 'val')}
PIXELS = np.stack([np.asarray(Image.open(file)) for file in FILES['train']])
MEAN, STD = PIXELS.mean((0, 1, 2)).round(1).tolist(), PIXELS.std((0, 1, 2)).round(1).tolist()
print({part: len(files) for part, files in FILES.items()}, CLASSES, f'RGB mean {MEAN}, std {STD}', sep='\n')

# %%
figure, axes = plt.subplots(2, 8, figsize=(9, 2.6))
for axis, place in zip(axes.flat, np.linspace(0, len(PIXELS) - 1, 16, dtype=int)):
    axis.imshow(PIXELS[place])
    axis.set_title(FILES['train'][place].parent.name, fontsize=8)
    axis.axis('off')

# %% [markdown]
# ## The data in a config
#
# `CustomDataset` reads such folders. Teacher and student share this file, so both see the same images. A config is a file of
# Python; here each is a dict that is written to a file, so that the commands below can read it.

# %%
LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackInputs')
AUGMENT = [dict(type='RandomCrop', crop_size=24), dict(type='RandomFlip', prob=0.5 if SOURCE.exists() else 0.0)]


def loader(part, pipeline, shuffle):
    """A data loader of one of the two folders."""
    return dict(
        batch_size=64,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=shuffle),
        dataset=dict(type='mmpretrain.CustomDataset', data_root=str(FOLDER / 'images'), data_prefix=part, pipeline=pipeline),
    )


data = dict(
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=MEAN, std=STD, to_rgb=True),
    train_dataloader=loader('train', [LOAD, *AUGMENT, PACK], shuffle=True),
    val_dataloader=loader('val', [LOAD, dict(type='CenterCrop', crop_size=24), PACK], shuffle=False),
    val_evaluator=dict(type='Accuracy', topk=1),
    train_cfg=dict(max_epochs=EPOCHS),
    param_scheduler=dict(T_max=EPOCHS),
)
data.update(test_dataloader=data['val_dataloader'], test_evaluator=data['val_evaluator'])

# %% [markdown]
# ## The teachers
#
# A teacher is a classifier of mmpretrain. Two things make it an ICC teacher: its training images come as **two views**, and
# `IntraClassContrastHook` adds the loss. Schedule and runtime are parts of this package.


# %%
def network(*widths):
    """A ResNet with three stages of one block each."""
    return dict(
        _scope_='mmpretrain',
        type='ImageClassifier',
        backbone=dict(type='icckd_mm.CIFARResNet', depth=8, widths=widths),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='LinearClsHead',
            num_classes=len(CLASSES),
            in_channels=widths[-1],
            loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
            topk=(1,),
        ),
    )


def teacher(loss_weight):
    """The config of a teacher; with a weight of 0 it is the control, which sees the same views."""
    two_views = [LOAD, dict(type='MultiView', num_views=2, transforms=[AUGMENT]), PACK]
    icc = dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=loss_weight)
    return dict(
        data,
        _base_=['icckd_mm::_base_/schedules/digits_15e.py', 'icckd_mm::_base_/runtime.py'],
        model=network(16, 16, 32, 64),
        data_preprocessor=dict(data['data_preprocessor'], type='icckd_mm.TwoViewDataPreprocessor'),
        train_dataloader=loader('train', two_views, shuffle=True),
        custom_hooks=[dict(type='icckd_mm.IntraClassContrastHook', loss=icc)],
    )


# %% [markdown]
# What the network sees of an image: two random views, which should get similar features, while other images of the class
# should not.

# %%
init_default_scope('mmpretrain')
dataset = DATASETS.build(teacher(loss_weight=0.05)['train_dataloader']['dataset'])
figure, axes = plt.subplots(2, 6, figsize=(7, 2.6))
for column, place in zip(axes.T, range(0, len(dataset), len(dataset) // 6)):
    item = dataset[place]
    for axis, view in zip(column, item['inputs']):
        axis.imshow(view.flip(0).permute(1, 2, 0))  # files are read as blue, green, red
        axis.axis('off')
    column[0].set_title(CLASSES[item['data_samples'].gt_label], fontsize=8)

# %% [markdown]
# ## Train
#
# `run` calls a command of this package and shows one line per epoch. `loss` is cross-entropy, `loss_icc` the weighted ICC loss.
# An image takes part once the teacher classifies it with a margin of 0.5; `icc_pass` is the share that does.


# %%
def run(*words, every=1):
    """Run a command; show every n-th epoch as it ends, and the checks of a published model."""
    print('$ python -m icckd_mm', *words)
    command = [sys.executable, '-m', 'icckd_mm', *map(str, words)]
    said, epoch = [], ''
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            said.append(line)
            if 'Epoch(train)' in line:
                number = int(re.search(r'\[(\d+)\]', line)[1])
                values = re.findall(r'(?<![\w.])(loss|loss_icc|icc_pass|distill\.loss_kl): ([\d.]+)', line)
                epoch = '  '.join([f'epoch {number:2}', *(f'{key} {float(value):.3f}' for key, value in values)])
            elif (found := re.search(r'Epoch\(val\).*?(?<!\.)accuracy/top1: ([\d.]+)', line)) and number % every == 0:
                print(f'{epoch}  top-1 {float(found[1]):.1f} %')
            elif line.startswith('ok '):
                print(line, end='')
    if process.returncode:
        raise RuntimeError(''.join(said[-20:]))


Config(teacher(loss_weight=0.05)).dump(FOLDER / 'icc.py')
run('train', FOLDER / 'icc.py', '--work-dir', FOLDER / 'icc')

# %% [markdown]
# The control sees the same views, with a weight of 0:

# %%
Config(teacher(loss_weight=0)).dump(FOLDER / 'control.py')
run('train', FOLDER / 'control.py', '--work-dir', FOLDER / 'control', every=EPOCHS)

# %% [markdown]
# ## What the loss does
#
# The curves of both trainings. `icc_intra_cos` is the cosine of a feature to the centre of its class, `icc_inter_cos` that
# between centres, `icc_ratio` the distance within classes divided by that between them.

# %%
logs = {'control': read_log(FOLDER / 'control'), 'icc': read_log(FOLDER / 'icc')}
curves_figure(logs)

# %% [markdown]
# The features of the validation images, as t-SNE maps. The numbers in the titles count, not the distances in the maps.

# %%
runs = {each.name: each for each in named_runs([FOLDER / 'control', FOLDER / 'icc'])}
features_figure({name: each.space for name, each in runs.items()}, classes=CLASSES)

# %% [markdown]
# ## Soft labels
#
# A student learns from the teacher's probabilities at temperature 4. Three images about which the control is unsure:

# %%
logits = {name: each.space.logits for name, each in runs.items()}
labels = runs['icc'].space.labels
soft = {name: (values / 4).softmax(1) for name, values in logits.items()}
right = logits['control'].argmax(1) == labels
unsure = (-(soft['control'] * soft['control'].log()).sum(1) * right).argsort(descending=True)
figure, axes = plt.subplots(3, 2, figsize=(7, 5), width_ratios=[1, 2.5], layout='constrained')
for (left, axis), place in zip(axes, unsure[:: max(1, len(unsure) // 12)][:3].tolist()):
    left.imshow(Image.open(FILES['val'][place]))
    left.set_title(CLASSES[labels[place]], fontsize=9)
    left.axis('off')
    for shift, (name, values) in zip((-0.2, 0.2), soft.items()):
        axis.barh(np.arange(len(CLASSES)) + shift, values[place], height=0.4, label=name)
    axis.set_yticks(range(len(CLASSES)), CLASSES, fontsize=8)
    axis.invert_yaxis()
    axis.set_xlim(0, 1)
axes[0, 1].legend(title='teacher')
axes[-1, 1].set_xlabel('soft label at temperature 4')

# %% [markdown]
# ## A student of each teacher
#
# A network of a quarter of the size learns from the labels (a tenth of the loss) and the soft labels (the rest).
# `SafeTeacherDistill`, in the part `kd_logits.py`, loads the teacher key by key and refuses one that does not fit.


# %%
def student(of):
    """The config of a student of the teacher in this folder."""
    small = network(8, 8, 16, 32)
    small['head']['loss']['loss_weight'] = 0.1
    checkpoint = str(FOLDER / of / f'epoch_{EPOCHS}.pth')
    return dict(
        data,
        _base_=[
            'icckd_mm::_base_/distill/kd_logits.py',
            'icckd_mm::_base_/schedules/digits_15e.py',
            'icckd_mm::_base_/runtime.py',
        ],
        model=dict(architecture=small, teacher=network(16, 16, 32, 64), teacher_ckpt=checkpoint),
        val_cfg=dict(type='icckd_mm.DistillValLoop'),
    )


for of in ('control', 'icc'):
    Config(student(of)).dump(FOLDER / f'student_{of}.py')
    run('train', FOLDER / f'student_{of}.py', '--work-dir', FOLDER / f'student_{of}', every=EPOCHS)

# %%
print(f'{"":10}{"teacher":>9}{"ratio":>8}{"student":>9}')
for name, each in runs.items():
    accuracies = [read_log(FOLDER / run).curves['accuracy/top1'][1][-1] for run in (name, f'student_{name}')]
    print(f'{name:10}{accuracies[0]:8.1f}%{each.space.geometry["ratio"]:8.3f}{accuracies[1]:8.1f}%')
print(f'One of {len(labels)} validation images is {100 / len(labels):.2f} points; one run each decides nothing.')

# %% [markdown]
# ## Publish and export
#
# `publish` takes the student out of its run, writes a plain mmpretrain config, weights, a model card and an ONNX graph, and
# verifies the folder in a clean process.

# %%
PUBLISHED = FOLDER / 'published'
FORMATS = os.environ.get('TUTORIAL_FORMATS', 'pth,onnx')
names = ['--out', PUBLISHED, '--name', 'resnet8_tutorial', '--formats', FORMATS]
run('publish', FOLDER / 'student_icc', *names, '--no-index', '--force')
print(*sorted(re.sub('_[0-9]{8}-[0-9a-f]{8}', '_DATE-HASH', path.name) for path in PUBLISHED.iterdir()), sep='\n')

# %% [markdown]
# ## Predict
#
# The published files alone, in mmpretrain:

# %%
(weights,) = PUBLISHED.glob('*.pth')
predict = ImageClassificationInferencer(str(PUBLISHED / 'resnet8_tutorial.py'), pretrained=str(weights), device='cpu')
pictures = FILES['val'][7 :: len(FILES['val']) // 6][:6]
figure, axes = plt.subplots(1, len(pictures), figsize=(9, 1.9))
for axis, picture, result in zip(np.atleast_1d(axes), pictures, predict([str(picture) for picture in pictures])):
    print(f'{picture.relative_to(FOLDER)}: {result["pred_class"]} ({result["pred_score"]:.2f})')
    axis.imshow(Image.open(picture))
    axis.set_title(f'{result["pred_class"]} ({result["pred_score"]:.2f})', fontsize=8)
    axis.axis('off')
