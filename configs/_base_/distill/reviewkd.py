# ReviewKD (Chen et al. 2021): each stage of the teacher, before its last ReLU, is learnt by the student's stage and all deeper
# ones; no soft labels; widths of ResNet. The loss warms up by a DistillWeightHook
reviewkd = dict(
    _delete_=True,
    type='ConfigurableDistiller',
    student_recorders=dict(
        stage1=dict(type='ModuleOutputs', source='backbone.layer1'),
        stage2=dict(type='ModuleOutputs', source='backbone.layer2'),
        stage3=dict(type='ModuleOutputs', source='backbone.layer3'),
        pooled=dict(type='ModuleInputs', source='head.fc'),
    ),
    teacher_recorders=dict(
        stage1=dict(type='ModuleOutputs', source='backbone.layer1.2.preact'),
        stage2=dict(type='ModuleOutputs', source='backbone.layer2.2.preact'),
        stage3=dict(type='ModuleOutputs', source='backbone.layer3.2.preact'),
        pooled=dict(type='ModuleInputs', source='head.fc'),
    ),
    distill_losses=dict(
        loss_review=dict(
            type='icckd_mm.ReviewKDLoss',
            student_channels=[16, 32, 64, 64],
            teacher_channels=[16, 32, 64, 64],
            loss_weight=1.0,
        )
    ),
    loss_forward_mappings=dict(
        loss_review=dict(
            s1=dict(from_student=True, recorder='stage1'),
            t1=dict(from_student=False, recorder='stage1'),
            s2=dict(from_student=True, recorder='stage2'),
            t2=dict(from_student=False, recorder='stage2'),
            s3=dict(from_student=True, recorder='stage3'),
            t3=dict(from_student=False, recorder='stage3'),
            s4=dict(from_student=True, recorder='pooled', data_idx=0),
            t4=dict(from_student=False, recorder='pooled', data_idx=0),
        )
    ),
)
