# Factor transfer (Kim et al. 2018, arXiv 1802.04977), first stage: a paraphraser learns to rebuild the teacher's last maps from
# half as many channels; the student is not trained. The error is the paper's squared one, mmrazor's config compares directions
# only. in_channel is the teacher's width
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    calculate_student_loss=False,
    student_trainable=False,
    distiller=dict(
        type='ConfigurableDistiller',
        teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
        connectors=dict(paraphraser=dict(type='Paraphraser', phase='pretrain', in_channel=64, out_channel=32)),
        distill_losses=dict(loss_rebuild=dict(type='icckd_mm.L2Loss', normalize=False, div_element=True)),
        loss_forward_mappings=dict(
            loss_rebuild=dict(
                s_feature=dict(from_student=False, recorder='stage3', connector='paraphraser'),
                t_feature=dict(from_student=False, recorder='stage3'),
            )
        ),
    ),
)
find_unused_parameters = True  # the whole student
