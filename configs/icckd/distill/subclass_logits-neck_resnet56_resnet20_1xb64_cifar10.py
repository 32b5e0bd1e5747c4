# subclass: ``0.1 CE + 0.9 T^2 KL`` between 5 subclasses per class, found by k-means, at T = 4; the weights of KD, our choice
_base_ = [
    '../../_base_/datasets/cifar10.py',
    '../../_base_/models/resnet56.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet56.head.num_classes = 10
_base_.resnet20.head.num_classes = 10
_base_.resnet20.head.loss.loss_weight = 0.1
_base_.resnet20.head.type = 'icckd_mm.SubclassClsHead'
_base_.resnet20.head.subclasses = 5
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet20,
    teacher=_base_.resnet56,
    teacher_ckpt='work_dirs/ce_resnet56_1xb64_cifar10/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(subclass_logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), pooled=dict(type='ModuleInputs', source='head.fc')
        ),
        distill_losses=dict(
            loss_subclass=dict(
                type='icckd_mm.SubclassKLLoss',
                num_classes=10,
                subclasses=5,
                feat_dims=64,
                how='kmeans',
                tau=4.0,
                loss_weight=0.9,
            )
        ),
        loss_forward_mappings=dict(
            loss_subclass=dict(
                preds_S=dict(from_student=True, recorder='subclass_logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                features_T=dict(from_student=False, recorder='pooled', data_idx=0),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
custom_hooks = [dict(type='icckd_mm.SubclassHook')]
