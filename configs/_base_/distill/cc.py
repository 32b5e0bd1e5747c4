# CC (Peng et al. 2019): differences of neighbours in a batch, by embedded pooled features; no soft labels, as in the benchmark;
# in_features are the widths of the pooled features
cc = dict(
    _delete_=True,
    type='ConfigurableDistiller',
    student_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
    teacher_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
    connectors=dict(
        cc_student=dict(type='TorchNNConnector', module_name='Linear', module_args=dict(in_features=64, out_features=128)),
        cc_teacher=dict(type='TorchNNConnector', module_name='Linear', module_args=dict(in_features=64, out_features=128)),
    ),
    distill_losses=dict(loss_cc=dict(type='icckd_mm.CCLoss', loss_weight=0.02)),
    loss_forward_mappings=dict(
        loss_cc=dict(
            s_feature=dict(from_student=True, recorder='pooled', data_idx=0, connector='cc_student'),
            t_feature=dict(from_student=False, recorder='pooled', data_idx=0, connector='cc_teacher'),
        ),
    ),
)
