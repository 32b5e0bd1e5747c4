# ft-pretrain: First stage: a paraphraser rebuilds the teacher's last maps from half as many channels; no student
_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.vgg13.head.num_classes = 10
_base_.vgg8.head.num_classes = 10
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/icc_vgg13_1xb64_digits/epoch_15.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        teacher_recorders=dict(stage4=dict(type='ModuleOutputs', source='backbone.layer5')),
        connectors=dict(paraphraser=dict(type='Paraphraser', phase='pretrain', in_channel=512, out_channel=256)),
        distill_losses=dict(loss_rebuild=dict(type='icckd_mm.L2Loss', normalize=False, div_element=True)),
        loss_forward_mappings=dict(
            loss_rebuild=dict(
                s_feature=dict(from_student=False, recorder='stage4', connector='paraphraser'),
                t_feature=dict(from_student=False, recorder='stage4'),
            )
        ),
    ),
    calculate_student_loss=False,
    student_trainable=False,
)
val_cfg = None
find_unused_parameters = True
val_dataloader = None
val_evaluator = None
default_hooks = dict(checkpoint=dict(save_best=None))
optim_wrapper = dict(optimizer=dict(lr=0.01), clip_grad=dict(max_norm=1.0))
