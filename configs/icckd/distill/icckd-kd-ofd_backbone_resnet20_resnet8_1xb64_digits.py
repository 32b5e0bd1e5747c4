# kd: ``0.1 CE + 0.9 T^2 KL`` at T = 4 on CIFAR, ``0.5 CE + 0.5 KL`` at T = 1 on ImageNet; 1 and 1 beside CRD, as published.
# ofd: Maps before the ReLU of every stage, the teacher's above its margin; weight 1e-3, halved from stage to stage; CE 1
_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/models/resnet8.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.resnet20.head.num_classes = 10
_base_.resnet8.head.num_classes = 10
_base_.resnet8.head.loss.loss_weight = 0.1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet8,
    teacher=_base_.resnet20,
    teacher_ckpt='work_dirs/icc_resnet20_1xb64_digits/epoch_15.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'),
            preact1=dict(type='ModuleOutputs', source='backbone.layer1.0.preact'),
            preact2=dict(type='ModuleOutputs', source='backbone.layer2.0.preact'),
            preact3=dict(type='ModuleOutputs', source='backbone.layer3.0.preact'),
        ),
        teacher_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'),
            preact1=dict(type='ModuleOutputs', source='backbone.layer1.2.preact'),
            preact2=dict(type='ModuleOutputs', source='backbone.layer2.2.preact'),
            preact3=dict(type='ModuleOutputs', source='backbone.layer3.2.preact'),
        ),
        connectors=dict(
            ofd_student1=dict(
                type='ConvModuleConnector', in_channel=16, out_channel=16, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin1=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer1.2.bn2'),
            ofd_student2=dict(
                type='ConvModuleConnector', in_channel=32, out_channel=32, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin2=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer2.2.bn2'),
            ofd_student3=dict(
                type='ConvModuleConnector', in_channel=64, out_channel=64, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin3=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer3.2.bn2'),
        ),
        distill_losses=dict(
            loss_kl=dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=0.9),
            loss_ofd1=dict(type='OFDLoss', loss_weight=0.25),
            loss_ofd2=dict(type='OFDLoss', loss_weight=0.5),
            loss_ofd3=dict(type='OFDLoss', loss_weight=1.0),
        ),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            ),
            loss_ofd1=dict(
                s_feature=dict(from_student=True, recorder='preact1', connector='ofd_student1'),
                t_feature=dict(from_student=False, recorder='preact1', connector='ofd_margin1'),
            ),
            loss_ofd2=dict(
                s_feature=dict(from_student=True, recorder='preact2', connector='ofd_student2'),
                t_feature=dict(from_student=False, recorder='preact2', connector='ofd_margin2'),
            ),
            loss_ofd3=dict(
                s_feature=dict(from_student=True, recorder='preact3', connector='ofd_student3'),
                t_feature=dict(from_student=False, recorder='preact3', connector='ofd_margin3'),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
