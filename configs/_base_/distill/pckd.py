# Category-centre contrast with preview weights (PCKD) and its three companions, in the published weights of wrn40-2 to wrn16-2;
# that of loss_kd is ours. One view of each image, the cheap mode (ours); the published four are in pckd_rotations.py.
# The experiment sets the widths of loss_cc and of the connector, and drops loss_ca where the two networks' features differ in
# width
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            features=dict(type='ModuleInputs', source='head.fc'),
            logits=dict(type='ModuleOutputs', source='head.fc'),
            labels=dict(type='ModuleInputs', source='head.loss_module'),
            centers=dict(type='Parameter', source='head.fc.weight'),
            bias=dict(type='Parameter', source='head.fc.bias'),
        ),
        teacher_recorders=dict(
            features=dict(type='ModuleInputs', source='head.fc'),
            logits=dict(type='ModuleOutputs', source='head.fc'),
            centers=dict(type='Parameter', source='head.fc.weight'),
            bias=dict(type='Parameter', source='head.fc.bias'),
        ),
        connectors=dict(mlp=dict(type='icckd_mm.MLPConnector')),
        distill_losses=dict(
            loss_cc=dict(type='icckd_mm.CategoryCenterContrastiveLoss', loss_weight=0.05),
            loss_ca=dict(type='icckd_mm.CenterAlignmentLoss', loss_weight=1.0),
            loss_fa=dict(type='icckd_mm.FeatureAlignmentLoss', loss_weight=20.0),
            loss_kd=dict(type='icckd_mm.PreviewKLDivergence', loss_weight=0.9),
        ),
        loss_forward_mappings=dict(
            loss_cc=dict(
                s_feature=dict(from_student=True, recorder='features', data_idx=0),
                s_centers=dict(from_student=True, recorder='centers'),
                t_centers=dict(from_student=False, recorder='centers'),
                preds_S=dict(from_student=True, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            ),
            loss_ca=dict(
                s_centers=dict(from_student=True, recorder='centers'),
                s_bias=dict(from_student=True, recorder='bias'),
                t_centers=dict(from_student=False, recorder='centers'),
                t_bias=dict(from_student=False, recorder='bias'),
            ),
            loss_fa=dict(
                s_feature=dict(from_student=True, recorder='features', data_idx=0, connector='mlp'),
                t_feature=dict(from_student=False, recorder='features', data_idx=0),
            ),
            loss_kd=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            ),
        ),
    ),
)
