# PKT (Passalis and Tefas 2018): neighbours in a batch, by pooled features; no soft labels, as in the benchmark
pkt = dict(
    _delete_=True,
    type='ConfigurableDistiller',
    student_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
    teacher_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
    distill_losses=dict(loss_pkt=dict(type='icckd_mm.PKTLoss', loss_weight=30000.0)),
    loss_forward_mappings=dict(
        loss_pkt=dict(
            s_feature=dict(from_student=True, recorder='pooled', data_idx=0),
            t_feature=dict(from_student=False, recorder='pooled', data_idx=0),
        ),
    ),
)
