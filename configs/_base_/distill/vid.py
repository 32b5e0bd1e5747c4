# VID (Ahn et al. 2019): the student predicts the maps of all stages; no soft labels, as in the benchmark; widths of ResNet
vid = dict(
    _delete_=True,
    type='ConfigurableDistiller',
    student_recorders=dict(
        stage1=dict(type='ModuleOutputs', source='backbone.layer1'),
        stage2=dict(type='ModuleOutputs', source='backbone.layer2'),
        stage3=dict(type='ModuleOutputs', source='backbone.layer3'),
    ),
    teacher_recorders=dict(
        stage1=dict(type='ModuleOutputs', source='backbone.layer1'),
        stage2=dict(type='ModuleOutputs', source='backbone.layer2'),
        stage3=dict(type='ModuleOutputs', source='backbone.layer3'),
    ),
    distill_losses=dict(
        loss_vid1=dict(type='icckd_mm.VIDLoss', student_channels=16, teacher_channels=16, loss_weight=1.0),
        loss_vid2=dict(type='icckd_mm.VIDLoss', student_channels=32, teacher_channels=32, loss_weight=1.0),
        loss_vid3=dict(type='icckd_mm.VIDLoss', student_channels=64, teacher_channels=64, loss_weight=1.0),
    ),
    loss_forward_mappings=dict(
        loss_vid1=dict(
            s_feature=dict(from_student=True, recorder='stage1'), t_feature=dict(from_student=False, recorder='stage1')
        ),
        loss_vid2=dict(
            s_feature=dict(from_student=True, recorder='stage2'), t_feature=dict(from_student=False, recorder='stage2')
        ),
        loss_vid3=dict(
            s_feature=dict(from_student=True, recorder='stage3'), t_feature=dict(from_student=False, recorder='stage3')
        ),
    ),
)
