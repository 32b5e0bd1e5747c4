# Universal self-knowledge distillation (Yang et al. 2023): soft labels that a network makes for itself, without a teacher. The
# experiment sets num_classes and in_channels, the channels of the second-last stage, whose name is that of the CIFAR ResNets
model = dict(
    _scope_='mmrazor',
    type='SelfDistill',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            stage=dict(type='ModuleOutputs', source='backbone.layer2'),
            logits=dict(type='ModuleOutputs', source='head.fc'),
            labels=dict(type='ModuleInputs', source='head.loss_module'),
        ),
        distill_losses=dict(loss_uskd=dict(type='icckd_mm.USKDLoss', alpha=0.1, beta=0.1, mu=0.1)),
        loss_forward_mappings=dict(
            loss_uskd=dict(
                s_feature=dict(from_student=True, recorder='stage'),
                preds_S=dict(from_student=True, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            )
        ),
    ),
)
