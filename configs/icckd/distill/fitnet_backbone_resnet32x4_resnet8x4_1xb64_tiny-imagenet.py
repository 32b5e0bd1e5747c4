# fitnet: 100 times the mean squared error after the second stage, through the benchmark's regressor; CE 1
_base_ = [
    '../../_base_/datasets/tiny-imagenet.py',
    '../../_base_/models/resnet32x4.py',
    '../../_base_/models/resnet8x4.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet32x4.head.num_classes = 200
_base_.resnet8x4.head.num_classes = 200
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet8x4,
    teacher=_base_.resnet32x4,
    teacher_ckpt='work_dirs/ce_resnet32x4_1xb64_tiny-imagenet/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(stage2=dict(type='ModuleOutputs', source='backbone.layer2')),
        teacher_recorders=dict(stage2=dict(type='ModuleOutputs', source='backbone.layer2')),
        connectors=dict(hint=dict(type='icckd_mm.ConvRegConnector', s_shape=[128, 32, 32], t_shape=[128, 32, 32])),
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
