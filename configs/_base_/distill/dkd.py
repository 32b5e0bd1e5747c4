# Decoupled distillation (Zhao et al. 2022) instead of plain soft labels
dkd = dict(
    student_recorders=dict(labels=dict(type='ModuleInputs', source='head.loss_module')),
    distill_losses=dict(_delete_=True, loss_dkd=dict(type='icckd_mm.DKDLoss', tau=4.0, alpha=1.0, beta=8.0)),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_dkd=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
            gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
        ),
    ),
)
