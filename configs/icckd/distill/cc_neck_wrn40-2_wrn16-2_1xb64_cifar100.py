# cc: Weight 0.02 between trained linear embeddings of the pooled features in 128 dimensions, as in the benchmark
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/wrn16-2.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.wrn16_2,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/ce_wrn40-2_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
        teacher_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
        connectors=dict(
            cc_student=dict(type='TorchNNConnector', module_name='Linear', module_args=dict(in_features=128, out_features=128)),
            cc_teacher=dict(type='TorchNNConnector', module_name='Linear', module_args=dict(in_features=128, out_features=128)),
        ),
        distill_losses=dict(loss_cc=dict(type='icckd_mm.CCLoss', loss_weight=0.02)),
        loss_forward_mappings=dict(
            loss_cc=dict(
                s_feature=dict(from_student=True, recorder='pooled', data_idx=0, connector='cc_student'),
                t_feature=dict(from_student=False, recorder='pooled', data_idx=0, connector='cc_teacher'),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
