# ofd: Maps before the ReLU of every stage, the teacher's above its margin; weight 1e-3, halved from stage to stage; CE 1
_base_ = [
    '../../_base_/datasets/tiny-imagenet.py',
    '../../_base_/models/resnet110.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet110.head.num_classes = 200
_base_.resnet20.head.num_classes = 200
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet20,
    teacher=_base_.resnet110,
    teacher_ckpt='work_dirs/ce_resnet110_1xb64_tiny-imagenet/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            preact1=dict(type='ModuleOutputs', source='backbone.layer1.2.preact'),
            preact2=dict(type='ModuleOutputs', source='backbone.layer2.2.preact'),
            preact3=dict(type='ModuleOutputs', source='backbone.layer3.2.preact'),
        ),
        teacher_recorders=dict(
            preact1=dict(type='ModuleOutputs', source='backbone.layer1.17.preact'),
            preact2=dict(type='ModuleOutputs', source='backbone.layer2.17.preact'),
            preact3=dict(type='ModuleOutputs', source='backbone.layer3.17.preact'),
        ),
        connectors=dict(
            ofd_student1=dict(
                type='ConvModuleConnector', in_channel=16, out_channel=16, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin1=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer1.17.bn2'),
            ofd_student2=dict(
                type='ConvModuleConnector', in_channel=32, out_channel=32, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin2=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer2.17.bn2'),
            ofd_student3=dict(
                type='ConvModuleConnector', in_channel=64, out_channel=64, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin3=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer3.17.bn2'),
        ),
        distill_losses=dict(
            loss_ofd1=dict(type='OFDLoss', loss_weight=0.25),
            loss_ofd2=dict(type='OFDLoss', loss_weight=0.5),
            loss_ofd3=dict(type='OFDLoss', loss_weight=1.0),
        ),
        loss_forward_mappings=dict(
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
