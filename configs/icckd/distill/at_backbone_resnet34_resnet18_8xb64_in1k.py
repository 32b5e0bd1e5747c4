# at: Weight 1000 after every stage, as in the benchmark; CE 1
_base_ = [
    '../../_base_/datasets/in1k.py',
    '../../_base_/models/in1k/resnet34.py',
    '../../_base_/models/in1k/resnet18.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
train_dataloader = dict(batch_size=64)
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet18,
    teacher=_base_.resnet34,
    teacher_ckpt='work_dirs/ce_resnet34_8xb32_in1k/epoch_100.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            stage1=dict(type='ModuleOutputs', source='backbone.layer1'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer2'),
            stage3=dict(type='ModuleOutputs', source='backbone.layer3'),
            stage4=dict(type='ModuleOutputs', source='backbone.layer4'),
        ),
        teacher_recorders=dict(
            stage1=dict(type='ModuleOutputs', source='backbone.layer1'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer2'),
            stage3=dict(type='ModuleOutputs', source='backbone.layer3'),
            stage4=dict(type='ModuleOutputs', source='backbone.layer4'),
        ),
        distill_losses=dict(
            loss_at1=dict(type='icckd_mm.ATLoss', loss_weight=1000.0),
            loss_at2=dict(type='icckd_mm.ATLoss', loss_weight=1000.0),
            loss_at3=dict(type='icckd_mm.ATLoss', loss_weight=1000.0),
            loss_at4=dict(type='icckd_mm.ATLoss', loss_weight=1000.0),
        ),
        loss_forward_mappings=dict(
            loss_at1=dict(
                s_feature=dict(from_student=True, recorder='stage1'), t_feature=dict(from_student=False, recorder='stage1')
            ),
            loss_at2=dict(
                s_feature=dict(from_student=True, recorder='stage2'), t_feature=dict(from_student=False, recorder='stage2')
            ),
            loss_at3=dict(
                s_feature=dict(from_student=True, recorder='stage3'), t_feature=dict(from_student=False, recorder='stage3')
            ),
            loss_at4=dict(
                s_feature=dict(from_student=True, recorder='stage4'), t_feature=dict(from_student=False, recorder='stage4')
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
optim_wrapper = dict(optimizer=dict(lr=0.2))
