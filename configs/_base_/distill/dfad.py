# Data-free distillation (DFAD, Fang et al. 2019, arXiv 1912.11006): a generator makes images on which student and teacher
# disagree; the student makes five steps for each of the generator's. The data set gives the batch size and, in validation,
# the accuracy. The experiment names the teacher 'teacher' and gives student and generator an optimizer
# each
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.DataFreeDistillation',
    student_iter=5,
    student_train_first=True,
    generator=dict(type='DAFLGenerator', img_size=32, latent_dim=256, hidden_channels=128, bn_eps=1e-5),
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='teacher.head.fc')),
        distill_losses=dict(loss_l1=dict(type='icckd_mm.L1Loss')),
        loss_forward_mappings=dict(
            loss_l1=dict(
                s_feature=dict(from_student=True, recorder='logits'), t_feature=dict(from_student=False, recorder='logits')
            )
        ),
    ),
    generator_distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='teacher.head.fc')),
        distill_losses=dict(loss_l1=dict(type='L1Loss', loss_weight=-1.0)),  # our loss refuses negative weights
        loss_forward_mappings=dict(
            loss_l1=dict(
                s_feature=dict(from_student=True, recorder='logits'), t_feature=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
