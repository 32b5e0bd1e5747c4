# Contrastive representation distillation (Tian et al. 2020); dim_in are the widths of the pooled features, sample_n the number
# of training images; an addition to model.distiller
crd = dict(
    student_recorders=dict(
        features=dict(type='ModuleInputs', source='head.fc'), data_samples=dict(type='ModuleInputs', source='')
    ),
    teacher_recorders=dict(features=dict(type='ModuleInputs', source='head.fc')),
    connectors=dict(
        crd_student=dict(type='icckd_mm.CRDConnector', dim_in=64, dim_out=128),
        crd_teacher=dict(type='icckd_mm.CRDConnector', dim_in=64, dim_out=128),
    ),
    distill_losses=dict(loss_crd=dict(type='icckd_mm.CRDLoss', neg_num=16384, sample_n=50000, loss_weight=0.8)),
    loss_forward_mappings=dict(
        loss_crd=dict(
            s_feats=dict(from_student=True, recorder='features', data_idx=0, connector='crd_student'),
            t_feats=dict(from_student=False, recorder='features', data_idx=0, connector='crd_teacher'),
            data_samples=dict(from_student=True, recorder='data_samples', data_idx=1),
        )
    ),
)
