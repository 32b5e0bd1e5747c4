# Wasserstein distance between soft labels (WKD-L, Lv et al. 2024), beside the first term of NKD. Classes are as far apart as
# the rows of the teacher's classifier; distances=<file of tools/analysis/class_distances.py> takes those of its features
# instead, then leave out t_centers. The experiment lets loss_wkd decay with DistillWeightHook
wkd = dict(
    student_recorders=dict(labels=dict(type='ModuleInputs', source='head.loss_module')),
    teacher_recorders=dict(centers=dict(type='Parameter', source='head.fc.weight')),
    distill_losses=dict(
        _delete_=True,
        loss_target=dict(type='icckd_mm.NKDLoss', gamma=0.0),
        loss_wkd=dict(type='icckd_mm.WassersteinLogitLoss', tau=6.0, loss_weight=200.0),
    ),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_target=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
            gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
        ),
        loss_wkd=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
            gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            t_centers=dict(from_student=False, recorder='centers'),
        ),
    ),
)
