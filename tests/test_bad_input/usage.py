"""Configs that cannot be read or lack something, and wrong flags."""

from tests.test_bad_input.case import Case

CONFIGS = {
    'no model': Case('model must be a dict, got None; correct', base='', body='train_cfg = None'),
    'model is a list': Case('model must be a dict, got ', body='model = [1]'),
    'loader is a number': Case('train_dataloader must be a dict, got 5', body='train_dataloader = 5'),
    'loop is a number': Case('train_cfg must be a dict, got 5', body='train_cfg = 5'),
    'syntax error': Case('bad.py cannot be read: SyntaxError: .*; fix the file', body='model = dict('),
    'it raises': Case('bad.py cannot be read: ZeroDivisionError: division by zero', body='x = 1 / 0'),
    'no such base': Case('bad.py cannot be read: .*nowhere.py', base='', body="_base_ = 'nowhere.py'"),
    'bases collide': Case('bad.py cannot be read: KeyError: Duplicate key', base='', body='_base_ = [{0!r}, {0!r}]'),
    'module that is not there': Case(
        'bad.py cannot be read: .*no_such_module', body="custom_imports = dict(imports=['no_such_module'])"
    ),
    'no such config': Case('config zzz.py does not exist; python -m icckd_mm configs', base='', flags=('zzz.py',)),
    'nearly a config': Case('did you mean configs/icckd/baseline/ce_resnet8', base='', flags=('ce_resnet8_1xb64_digit.py',)),
    'folder instead of config': Case('config .* does not exist', base='', flags=('{files}',)),
    'picture instead of config': Case(
        '0.png cannot be read: OSError: Only py/yml/yaml/json .*; fix the file', base='', flags=('{files}/images/cat/0.png',)
    ),
    'bytes instead of config': Case('bytes.py cannot be read: ', base='', flags=('{files}/bytes.py',)),
    'training without optimizer': Case(
        'train_dataloader, train_cfg, and optim_wrapper should be either all None', body='optim_wrapper = None', begun=True
    ),
}

FLAGS = {
    'no config': Case('required: config', base='', tool='train'),
    'seed': Case("argument --seed: invalid int value: 'abc'", flags=('--seed', 'abc')),
    'launcher': Case("argument --launcher: invalid choice: 'foo'", flags=('--launcher', 'foo')),
    'unknown flag': Case('unrecognized arguments: --epochs', flags=('--epochs', '3')),
    'amp without a GPU': Case('--amp needs a GPU, and none was found; omit it', flags=('--amp',)),
    'scaling without a base': Case(
        '--auto-scale-lr needs auto_scale_lr=dict', body='auto_scale_lr = None', flags=('--auto-scale-lr',)
    ),
    'what without where': Case(
        '--out-item needs --out; add --out FILE', flags=('any.pth', '--out-item', 'metrics'), tool='test'
    ),
    'pictures without the hook': Case(
        '--show needs default_hooks.visualization',
        body='default_hooks.visualization = None',
        flags=('any.pth', '--show'),
        tool='test',
    ),
    'demo': Case("argument --epochs: invalid int value: 'abc'", base='', flags=('--epochs', 'abc'), tool='demo'),
    'filter': Case(
        '--data cifar: no config has it; there are cifar10', base='', flags=('--data', 'cifar'), tool='list_configs'
    ),
    'format': Case(
        'gif',
        base='',
        flags=('{files}/whole.pth', '--out', '{files}/published', '--formats', 'gif'),
        tool='model_converters/publish',
    ),
    'architecture': Case(
        'resnet99',
        base='',
        flags=('{files}/whole.pth', '{files}/imported.pth', '--arch', 'resnet99'),
        tool='model_converters/import_checkpoint',
    ),
}
