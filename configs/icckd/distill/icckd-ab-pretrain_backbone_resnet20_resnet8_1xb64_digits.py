# ab-pretrain: First stage: on which side of 0 the maps before the ReLU lie, at all stages; no labels
_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet8,
    teacher=_base_.resnet20,
    teacher_ckpt='work_dirs/icc_resnet20_1xb64_digits/epoch_15.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            preact1=dict(type='ModuleOutputs', source='backbone.layer1.0.preact'),
            preact2=dict(type='ModuleOutputs', source='backbone.layer2.0.preact'),
            preact3=dict(type='ModuleOutputs', source='backbone.layer3.0.preact'),
        ),
        teacher_recorders=dict(
            preact1=dict(type='ModuleOutputs', source='backbone.layer1.2.preact'),
            preact2=dict(type='ModuleOutputs', source='backbone.layer2.2.preact'),
            preact3=dict(type='ModuleOutputs', source='backbone.layer3.2.preact'),
        ),
        distill_losses=dict(
            loss_ab1=dict(type='icckd_mm.ABLoss', loss_weight=0.25),
            loss_ab2=dict(type='icckd_mm.ABLoss', loss_weight=0.5),
            loss_ab3=dict(type='icckd_mm.ABLoss', loss_weight=1.0),
        ),
        loss_forward_mappings=dict(
            loss_ab1=dict(
                s_feature=dict(from_student=True, recorder='preact1'), t_feature=dict(from_student=False, recorder='preact1')
            ),
            loss_ab2=dict(
                s_feature=dict(from_student=True, recorder='preact2'), t_feature=dict(from_student=False, recorder='preact2')
            ),
            loss_ab3=dict(
                s_feature=dict(from_student=True, recorder='preact3'), t_feature=dict(from_student=False, recorder='preact3')
            ),
        ),
    ),
    calculate_student_loss=False,
)
val_cfg = None
find_unused_parameters = True
val_dataloader = None
val_evaluator = None
default_hooks = dict(checkpoint=dict(save_best=None))
