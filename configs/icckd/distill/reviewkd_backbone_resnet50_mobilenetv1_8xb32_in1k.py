# reviewkd: Stages and pooled features at the weight of the pair, warmed up for 20 epochs (ImageNet: 1)
_base_ = [
    '../../_base_/datasets/in1k.py',
    '../../_base_/models/in1k/resnet50.py',
    '../../_base_/models/in1k/mobilenetv1.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.mobilenetv1,
    teacher=_base_.resnet50,
    teacher_ckpt='work_dirs/ce_resnet50_8xb32_in1k/epoch_100.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            review1=dict(type='ModuleOutputs', source='backbone.layer1.2.bn2'),
            review2=dict(type='ModuleOutputs', source='backbone.layer2.1.bn2'),
            review3=dict(type='ModuleOutputs', source='backbone.layer3.5.bn2'),
            review4=dict(type='ModuleOutputs', source='backbone.layer4.1.bn2'),
            pooled=dict(type='ModuleInputs', source='head.fc'),
        ),
        teacher_recorders=dict(
            review1=dict(type='ModuleInputs', source='backbone.layer1.2.relu'),
            review2=dict(type='ModuleInputs', source='backbone.layer2.3.relu'),
            review3=dict(type='ModuleInputs', source='backbone.layer3.5.relu'),
            review4=dict(type='ModuleInputs', source='backbone.layer4.2.relu'),
            pooled=dict(type='ModuleInputs', source='head.fc'),
        ),
        distill_losses=dict(
            loss_review=dict(
                type='icckd_mm.ReviewKDLoss',
                student_channels=[128, 256, 512, 1024, 1024],
                teacher_channels=[256, 512, 1024, 2048, 2048],
                loss_weight=8.0,
            )
        ),
        loss_forward_mappings=dict(
            loss_review=dict(
                s1=dict(from_student=True, recorder='review1'),
                t1=dict(from_student=False, recorder='review1', data_idx=0, record_idx=2),
                s2=dict(from_student=True, recorder='review2'),
                t2=dict(from_student=False, recorder='review2', data_idx=0, record_idx=2),
                s3=dict(from_student=True, recorder='review3'),
                t3=dict(from_student=False, recorder='review3', data_idx=0, record_idx=2),
                s4=dict(from_student=True, recorder='review4'),
                t4=dict(from_student=False, recorder='review4', data_idx=0, record_idx=2),
                s5=dict(from_student=True, recorder='pooled', data_idx=0),
                t5=dict(from_student=False, recorder='pooled', data_idx=0),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
custom_hooks = [dict(type='icckd_mm.DistillWeightHook', losses=['loss_review'], schedule='warmup', epochs=1)]
