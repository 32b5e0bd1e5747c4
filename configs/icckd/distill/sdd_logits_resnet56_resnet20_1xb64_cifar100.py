# sdd: CE 0.1 and 0.9 T^2 KL of each region at T = 4, on ImageNet as well; regions by pair
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet56.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.loss.loss_weight = 0.1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet20,
    teacher=_base_.resnet56,
    teacher_ckpt='work_dirs/ce_resnet56_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
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
        distill_losses=dict(loss_sdd=dict(type='icckd_mm.SDDKLDivergence', tau=4.0, loss_weight=0.9, grids=[1, 2, 4])),
        loss_forward_mappings=dict(
            loss_sdd=dict(
                s_feature=dict(from_student=True, recorder='maps', data_idx=0),
                s_centers=dict(from_student=True, recorder='centers'),
                s_bias=dict(from_student=True, recorder='bias'),
                t_feature=dict(from_student=False, recorder='maps', data_idx=0),
                t_centers=dict(from_student=False, recorder='centers'),
                t_bias=dict(from_student=False, recorder='bias'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
