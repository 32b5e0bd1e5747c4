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
# A folder of images becomes a config, an intra-class contrastive teacher, a student of that teacher, and a model that anybody
# with mmpretrain can use. Everything is small: it takes a minute or two on one CPU core. The notebook is made of
# `from_data_to_student.py`; change the script and run `make tutorial`.

# %%
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits

os.environ['OMP_NUM_THREADS'] = '1'
for root in ('.', '../..'):  # Jupyter starts in the notebook's folder, the commands belong to the root of the repository
    if Path(root, 'tools/train.py').exists():
        os.chdir(root)
        break
else:
    raise RuntimeError(f'{Path.cwd()} is not the repository; start from its root or from docs/tutorial')
FOLDER = Path(os.environ.get('TUTORIAL_DIR', 'work_dirs/tutorial'))
EPOCHS = int(os.environ.get('TUTORIAL_EPOCHS', '6'))
IMAGES = int(os.environ.get('TUTORIAL_IMAGES', '1797'))


def run(*command):
    """Run a command of this repository; show it, and its checks or its last accuracy."""
    print('$ python', *command)
    result = subprocess.run([sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        raise RuntimeError(result.stdout[-2000:])
    checks = re.findall('^ok .*', result.stdout, re.MULTILINE)
    print(*checks or re.findall(r'(?<!\.)accuracy/top1: [\d.]+', result.stdout)[-1:], sep='\n')


# %% [markdown]
# ## The images
#
# One folder for training and one for validation, in each a folder a class. Here they are scikit-learn's handwritten digits; put
# your own there, and leave out this cell. Every fifth image is for validation.

# %%
digits = load_digits()
for number, (levels, label) in enumerate(zip(digits.images[:IMAGES], digits.target)):
    for part in ('train', 'val'):  # the same class folders in both
        (FOLDER / 'images' / part / str(label)).mkdir(parents=True, exist_ok=True)
    target = FOLDER / 'images' / ('val' if number % 5 == 0 else 'train') / str(label)
    image = Image.fromarray((levels * (255 / 16)).round().astype('uint8'))
    image.resize((16, 16), Image.Resampling.BILINEAR).save(target / f'{number:04d}.png')
print({part: len(list(FOLDER.glob(f'images/{part}/*/*.png'))) for part in ('train', 'val')})

# %% [markdown]
# ## The data in a config
#
# `CustomDataset` reads such folders. Mean and spread are those of the training images, in their order of colours as they are
# read. The part is used by teacher and student, so that both see the same.

# %%
DATA = f"""\
data_preprocessor = dict(type='mmpretrain.ClsDataPreprocessor', mean=[78, 78, 78], std=[82, 82, 82])
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomCrop', crop_size=16, padding=2),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(16, 16)),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmpretrain.CustomDataset', data_root='{FOLDER}/images', data_prefix='train', pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmpretrain.CustomDataset',
        data_root='{FOLDER}/images',
        data_prefix='val',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type='Accuracy', topk=1)
"""
_ = (FOLDER / 'data.py').write_text(DATA)

# %% [markdown]
# ## The teacher
#
# Two views of each image, and the hook; network, schedule and the rest are parts of this package. An anchor counts once the
# teacher classifies it with a margin of 0.5, so in the first epochs the loss does nothing.

# %%
BASE = os.path.relpath('configs/_base_', FOLDER)
SCHEDULE = f"""\
train_cfg = dict(max_epochs={EPOCHS})
param_scheduler = dict(T_max={EPOCHS})
"""
TEACHER = f"""\
_base_ = ['data.py', '{BASE}/models/resnet20.py', '{BASE}/schedules/digits_15e.py', '{BASE}/runtime.py']
model = _base_.resnet20
model.head.num_classes = 10
data_preprocessor = dict(type='icckd_mm.TwoViewDataPreprocessor')
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='MultiView', num_views=2, transforms=[_base_.train_pipeline[1:-1]]),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
custom_hooks = [
    dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=0.02))
]
{SCHEDULE}"""
(FOLDER / 'teacher.py').write_text(TEACHER)
run('tools/train.py', FOLDER / 'teacher.py', '--work-dir', FOLDER / 'teacher')
CHECKPOINT = FOLDER / 'teacher' / f'epoch_{EPOCHS}.pth'

# %% [markdown]
# ## The student
#
# A smaller network learns from the labels (a tenth of the loss) and from the teacher's soft labels at temperature 4 (the rest).
# `SafeTeacherDistill`, in the part `kd_logits.py`, loads the teacher key by key and refuses one that does not fit.

# %%
STUDENT = f"""\
_base_ = [
    'data.py',
    '{BASE}/models/resnet20.py',
    '{BASE}/models/resnet8.py',
    '{BASE}/distill/kd_logits.py',
    '{BASE}/schedules/digits_15e.py',
    '{BASE}/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
_base_.resnet8.head.loss.loss_weight = 0.1
model = dict(architecture=_base_.resnet8, teacher=_base_.resnet20, teacher_ckpt='{CHECKPOINT}')
val_cfg = dict(type='icckd_mm.DistillValLoop')
{SCHEDULE}"""
(FOLDER / 'student.py').write_text(STUDENT)
run('tools/train.py', FOLDER / 'student.py', '--work-dir', FOLDER / 'student')

# %% [markdown]
# ## Publish
#
# The run holds student, distiller and optimizer. `publish.py` takes the student out, writes a plain mmpretrain config and a
# model card, and verifies the folder in a clean process.

# %%
PUBLISHED = FOLDER / 'published'
entry = ['--out', PUBLISHED, '--name', 'resnet8_digits']
run('tools/model_converters/publish.py', FOLDER / 'student', *entry, '--no-index', '--force')
print(*sorted(re.sub('_[0-9]{8}-[0-9a-f]{8}', '_DATE-HASH', path.name) for path in PUBLISHED.iterdir()), sep='\n')

# %% [markdown]
# ## Predict
#
# The published files alone, in mmpretrain.

# %%
warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')  # mmcv-lite, of no use here
from mmpretrain import ImageClassificationInferencer  # noqa: E402

(weights,) = PUBLISHED.glob('*.pth')
predict = ImageClassificationInferencer(str(PUBLISHED / 'resnet8_digits.py'), pretrained=str(weights), device='cpu')
paths = sorted(FOLDER.glob('images/val/*/*.png'))[::60]
for path, result in zip(paths, predict([str(path) for path in paths])):
    print(f'{path.relative_to(FOLDER)}: {result["pred_class"]} ({result["pred_score"]:.2f})')
