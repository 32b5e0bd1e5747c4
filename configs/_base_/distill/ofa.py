# OFA-KD (Hao et al. 2023): the teacher's logits for the student's own and for a head at each of its stages; widths of ResNet,
# 10 classes
ofa = dict(
    _delete_=True,
    type='ConfigurableDistiller',
    student_recorders=dict(
        logits=dict(type='ModuleOutputs', source='head.fc'),
        labels=dict(type='ModuleInputs', source='head.loss_module'),
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
)
