# reviewkd: Stages and pooled features at the weight of the pair, warmed up for 20 epochs (ImageNet: 1)
_base_ = [
    '../../_base_/datasets/tiny-imagenet.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/wrn16-2.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.wrn40_2.head.num_classes = 200
_base_.wrn16_2.head.num_classes = 200
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.wrn16_2,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/ce_wrn40-2_1xb64_tiny-imagenet/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            review1=dict(type='ModuleOutputs', source='backbone.layer1'),
            review2=dict(type='ModuleOutputs', source='backbone.layer2'),
            review3=dict(type='ModuleOutputs', source='backbone.layer3'),
            pooled=dict(type='ModuleInputs', source='head.fc'),
        ),
        teacher_recorders=dict(
            review1=dict(type='ModuleOutputs', source='backbone.layer2.0.bn1'),
            review2=dict(type='ModuleOutputs', source='backbone.layer3.0.bn1'),
            review3=dict(type='ModuleOutputs', source='backbone.bn1'),
            pooled=dict(type='ModuleInputs', source='head.fc'),
        ),
        distill_losses=dict(
            loss_review=dict(
                type='icckd_mm.ReviewKDLoss',
                student_channels=[32, 64, 128, 128],
                teacher_channels=[32, 64, 128, 128],
                loss_weight=5.0,
            )
        ),
        loss_forward_mappings=dict(
            loss_review=dict(
                s1=dict(from_student=True, recorder='review1'),
                t1=dict(from_student=False, recorder='review1'),
                s2=dict(from_student=True, recorder='review2'),
                t2=dict(from_student=False, recorder='review2'),
                s3=dict(from_student=True, recorder='review3'),
                t3=dict(from_student=False, recorder='review3'),
                s4=dict(from_student=True, recorder='pooled', data_idx=0),
                t4=dict(from_student=False, recorder='pooled', data_idx=0),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
custom_hooks = [dict(type='icckd_mm.DistillWeightHook', losses=['loss_review'], schedule='warmup', epochs=20)]
