# ttm: CE 1; exponent 0.1 and weight 45, published for vgg13 to vgg8, our choice elsewhere
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
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_ttm=dict(type='icckd_mm.TransformedTeacherLoss', gamma=0.1, weighted=False, loss_weight=45.0)),
        loss_forward_mappings=dict(
            loss_ttm=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
