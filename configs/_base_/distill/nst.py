# NST (Huang and Wang 2017): where channels respond, in all stages; no soft labels, as in the benchmark
nst = dict(
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
        loss_nst1=dict(type='icckd_mm.NSTLoss', loss_weight=50.0),
        loss_nst2=dict(type='icckd_mm.NSTLoss', loss_weight=50.0),
        loss_nst3=dict(type='icckd_mm.NSTLoss', loss_weight=50.0),
    ),
    loss_forward_mappings=dict(
        loss_nst1=dict(
            s_feature=dict(from_student=True, recorder='stage1'), t_feature=dict(from_student=False, recorder='stage1')
        ),
        loss_nst2=dict(
            s_feature=dict(from_student=True, recorder='stage2'), t_feature=dict(from_student=False, recorder='stage2')
        ),
        loss_nst3=dict(
            s_feature=dict(from_student=True, recorder='stage3'), t_feature=dict(from_student=False, recorder='stage3')
        ),
    ),
)
