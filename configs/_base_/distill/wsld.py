# Weighted soft labels (Zhou et al. 2021) instead of plain ones; num_classes is that of the data set
wsld = dict(
    student_recorders=dict(labels=dict(type='ModuleInputs', source='head.loss_module')),
    distill_losses=dict(_delete_=True, loss_wsld=dict(type='WSLD', tau=2.0, loss_weight=2.5, num_classes=100)),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_wsld=dict(
            student=dict(from_student=True, recorder='logits'),
            teacher=dict(from_student=False, recorder='logits'),
            gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
        ),
    ),
)
