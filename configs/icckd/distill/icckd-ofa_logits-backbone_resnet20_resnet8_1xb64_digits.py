# ofa: The teacher's logits for the student's own and those of a head at each stage, all with weight 1; CE 1
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
            labels=dict(type='ModuleInputs', source='head.loss_module'),
            logits=dict(type='ModuleOutputs', source='head.fc'),
            stage1=dict(type='ModuleOutputs', source='backbone.layer1'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer2'),
            stage3=dict(type='ModuleOutputs', source='backbone.layer3'),
        ),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        connectors=dict(
            ofa1=dict(type='icckd_mm.OFAConvHead', in_channels=16, downsamples=2, dim=64, num_classes=10),
            ofa2=dict(type='icckd_mm.OFAConvHead', in_channels=32, downsamples=1, dim=64, num_classes=10),
            ofa3=dict(type='icckd_mm.OFAConvHead', in_channels=64, downsamples=0, dim=64, num_classes=10),
        ),
        distill_losses=dict(
            loss_ofa=dict(type='icckd_mm.OFALoss', eps=1.0, loss_weight=1.0),
            loss_ofa1=dict(type='icckd_mm.OFALoss', eps=1.0, loss_weight=1.0),
            loss_ofa2=dict(type='icckd_mm.OFALoss', eps=1.0, loss_weight=1.0),
            loss_ofa3=dict(type='icckd_mm.OFALoss', eps=1.0, loss_weight=1.0),
        ),
        loss_forward_mappings=dict(
            loss_ofa=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            ),
            loss_ofa1=dict(
                preds_S=dict(from_student=True, recorder='stage1', connector='ofa1'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            ),
            loss_ofa2=dict(
                preds_S=dict(from_student=True, recorder='stage2', connector='ofa2'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            ),
            loss_ofa3=dict(
                preds_S=dict(from_student=True, recorder='stage3', connector='ofa3'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
