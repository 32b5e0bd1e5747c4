# Factor transfer (Kim et al. 2018, arXiv 1802.04977), second stage: the student's translated maps against the teacher's
# factors. The experiment gives the paraphraser of the first stage as distiller.init_cfg; an init_cfg of the connector itself
# has no effect, since mmrazor keeps connectors in a plain nn.ModuleDict. The weight is the benchmark's: the loss is a mean over
# the entries of unit rows, next to nothing with mmrazor's weight of 1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
        teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
        connectors=dict(
            translator=dict(type='Translator', in_channel=64, out_channel=32),
            paraphraser=dict(type='Paraphraser', phase='train', in_channel=64, out_channel=32),
        ),
        distill_losses=dict(loss_ft=dict(type='FTLoss', loss_weight=200.0)),
        loss_forward_mappings=dict(
            loss_ft=dict(
                s_feature=dict(from_student=True, recorder='stage3', connector='translator'),
                t_feature=dict(from_student=False, recorder='stage3', connector='paraphraser'),
            )
        ),
    ),
)
find_unused_parameters = True  # the paraphraser gets no gradient
