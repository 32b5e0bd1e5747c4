# reviewkd: Stages and pooled features at the weight of the pair, warmed up for 20 epochs (ImageNet: 1)
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet50.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.resnet50,
    teacher_ckpt='work_dirs/ce_resnet50_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            review1=dict(type='ModuleOutputs', source='backbone.layer2'),
            review2=dict(type='ModuleOutputs', source='backbone.layer3'),
            review3=dict(type='ModuleOutputs', source='backbone.layer4'),
            review4=dict(type='ModuleOutputs', source='backbone.layer5'),
            pooled=dict(type='ModuleInputs', source='head.fc'),
        ),
        teacher_recorders=dict(
            review1=dict(type='ModuleOutputs', source='backbone.layer1.2.preact'),
            review2=dict(type='ModuleOutputs', source='backbone.layer2.3.preact'),
            review3=dict(type='ModuleOutputs', source='backbone.layer3.5.preact'),
            review4=dict(type='ModuleOutputs', source='backbone.layer4.2.preact'),
            pooled=dict(type='ModuleInputs', source='head.fc'),
        ),
        distill_losses=dict(
            loss_review=dict(
                type='icckd_mm.ReviewKDLoss',
                student_channels=[128, 256, 512, 512, 512],
                teacher_channels=[256, 512, 1024, 2048, 2048],
                loss_weight=1.0,
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
                s4=dict(from_student=True, recorder='review4'),
                t4=dict(from_student=False, recorder='review4'),
                s5=dict(from_student=True, recorder='pooled', data_idx=0),
                t5=dict(from_student=False, recorder='pooled', data_idx=0),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
custom_hooks = [dict(type='icckd_mm.DistillWeightHook', losses=['loss_review'], schedule='warmup', epochs=20)]
