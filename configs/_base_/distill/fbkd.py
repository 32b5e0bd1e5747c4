# Attention, pooled maps and relations of positions (FBKD, Zhang and Ma 2021) on the last stage, made for detection; an addition
# to model.distiller. Student and teacher need maps of one shape. The weights are mmrazor's, for roots of sums over the whole
# batch. The teacher's non-local block is trained as well, so the part of the relations can fall on its side
fbkd = dict(
    student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    connectors=dict(
        fbkd_student=dict(type='FBKDStudentConnector', in_channels=64, reduction=4),
        fbkd_teacher=dict(type='FBKDTeacherConnector', in_channels=64, reduction=4),
    ),
    distill_losses=dict(loss_fbkd=dict(type='FBKDLoss')),
    loss_forward_mappings=dict(
        loss_fbkd=dict(
            s_input=dict(from_student=True, recorder='stage3', connector='fbkd_student'),
            t_input=dict(from_student=False, recorder='stage3', connector='fbkd_teacher'),
        )
    ),
)
