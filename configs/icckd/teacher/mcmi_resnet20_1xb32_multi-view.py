_base_ = [
    '../../_base_/datasets/multi-view.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_finetune_20e.py',
    '../../_base_/runtime.py',
]
model = _base_.resnet20
model.head.num_classes = 10
model.head.loss = dict(type='icckd_mm.MCMILoss', num_classes=10, kl_weight=0.25)
load_from = 'work_dirs/ce_resnet20_1xb32_multi-view/epoch_20.pth'
