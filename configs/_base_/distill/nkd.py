# Normalised knowledge distillation (Yang et al. 2023); T = 4 is our choice for small images, 1 is published for ImageNet
nkd = dict(
    student_recorders=dict(labels=dict(type='ModuleInputs', source='head.loss_module')),
    distill_losses=dict(_delete_=True, loss_nkd=dict(type='icckd_mm.NKDLoss', tau=4.0, gamma=1.5)),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_nkd=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
            gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
        ),
    ),
)
