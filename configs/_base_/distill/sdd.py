# Scale-decoupled distillation (Wei et al. 2024): logits of regions of the last maps, each by its own network's classifier
sdd = dict(
    student_recorders=dict(
        maps=dict(type='ModuleInputs', source='neck.gap'),
        centers=dict(type='Parameter', source='head.fc.weight'),
        bias=dict(type='Parameter', source='head.fc.bias'),
        labels=dict(type='ModuleInputs', source='head.loss_module'),
    ),
    teacher_recorders=dict(
        maps=dict(type='ModuleInputs', source='neck.gap'),
        centers=dict(type='Parameter', source='head.fc.weight'),
        bias=dict(type='Parameter', source='head.fc.bias'),
    ),
    distill_losses=dict(_delete_=True, loss_sdd=dict(type='icckd_mm.SDDKLDivergence', tau=4.0, loss_weight=0.9)),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_sdd=dict(
            s_feature=dict(from_student=True, recorder='maps', data_idx=0),
            s_centers=dict(from_student=True, recorder='centers'),
            s_bias=dict(from_student=True, recorder='bias'),
            t_feature=dict(from_student=False, recorder='maps', data_idx=0),
            t_centers=dict(from_student=False, recorder='centers'),
            t_bias=dict(from_student=False, recorder='bias'),
            gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
        ),
    ),
)
