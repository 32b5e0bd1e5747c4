# fitnet: 100 times the mean squared error after the second stage, through the benchmark's regressor; CE 1
_base_ = [
    '../../_base_/datasets/cifar10.py',
    '../../_base_/models/resnet56.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet56.head.num_classes = 10
_base_.resnet20.head.num_classes = 10
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet20,
    teacher=_base_.resnet56,
    teacher_ckpt='work_dirs/ce_resnet56_1xb64_cifar10/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(stage2=dict(type='ModuleOutputs', source='backbone.layer2')),
        teacher_recorders=dict(stage2=dict(type='ModuleOutputs', source='backbone.layer2')),
        connectors=dict(hint=dict(type='icckd_mm.ConvRegConnector', s_shape=[32, 16, 16], t_shape=[32, 16, 16])),
        distill_losses=dict(loss_hint=dict(type='icckd_mm.L2Loss', normalize=False, div_element=True, loss_weight=100.0)),
        loss_forward_mappings=dict(
            loss_hint=dict(
                s_feature=dict(from_student=True, recorder='stage2', connector='hint'),
                t_feature=dict(from_student=False, recorder='stage2'),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
