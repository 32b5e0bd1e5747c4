# pckd: CE 1 and four losses in the published weights of wrn40-2 to wrn16-2, that of the KL is ours; one view, which is ours
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/ce_vgg13_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'),
            labels=dict(type='ModuleInputs', source='head.loss_module'),
            centers=dict(type='Parameter', source='head.fc.weight'),
            pooled=dict(type='ModuleInputs', source='head.fc'),
            bias=dict(type='Parameter', source='head.fc.bias'),
        ),
        teacher_recorders=dict(
            centers=dict(type='Parameter', source='head.fc.weight'),
            bias=dict(type='Parameter', source='head.fc.bias'),
            pooled=dict(type='ModuleInputs', source='head.fc'),
            logits=dict(type='ModuleOutputs', source='head.fc'),
        ),
        connectors=dict(mlp=dict(type='icckd_mm.MLPConnector', in_dims=512, out_dims=512)),
        distill_losses=dict(
            loss_cc=dict(type='icckd_mm.CategoryCenterContrastiveLoss', student_dims=512, teacher_dims=512, loss_weight=0.05),
            loss_ca=dict(type='icckd_mm.CenterAlignmentLoss', loss_weight=1.0),
            loss_fa=dict(type='icckd_mm.FeatureAlignmentLoss', loss_weight=20.0),
            loss_kd=dict(type='icckd_mm.PreviewKLDivergence', loss_weight=0.9),
        ),
        loss_forward_mappings=dict(
            loss_cc=dict(
                s_feature=dict(from_student=True, recorder='pooled', data_idx=0),
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
                s_feature=dict(from_student=True, recorder='pooled', data_idx=0, connector='mlp'),
                t_feature=dict(from_student=False, recorder='pooled', data_idx=0),
            ),
            loss_kd=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
