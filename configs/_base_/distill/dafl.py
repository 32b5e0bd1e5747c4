# Data-free distillation (DAFL, Chen et al. 2019, arXiv 1904.01186): a generator makes images that the teacher classifies with
# confidence, balanced over the classes and with strong features; the student learns their soft labels. The data set gives
# the batch size and, in validation, the accuracy. The experiment names the teacher 'teacher' and gives student and generator
# an optimizer each
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.DAFLDataFreeDistillation',
    generator=dict(type='DAFLGenerator', img_size=32, latent_dim=1000, hidden_channels=128),
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='teacher.head.fc')),
        distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=4, reduction='batchmean')),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
    generator_distiller=dict(
        type='ConfigurableDistiller',
        teacher_recorders=dict(
            features=dict(type='ModuleOutputs', source='teacher.neck.gap'),
            logits=dict(type='ModuleOutputs', source='teacher.head.fc'),
        ),
        distill_losses=dict(
            loss_sure=dict(type='OnehotLikeLoss', loss_weight=0.05),
            loss_balance=dict(type='InformationEntropyLoss', loss_weight=5.0),
            loss_strength=dict(type='ActivationLoss', loss_weight=0.01),
        ),
        loss_forward_mappings=dict(
            loss_sure=dict(preds_T=dict(from_student=False, recorder='logits')),
            loss_balance=dict(preds_T=dict(from_student=False, recorder='logits')),
            loss_strength=dict(feat_T=dict(from_student=False, recorder='features')),
        ),
    ),
)
