# ofd: Maps before the ReLU of every stage, the teacher's above its margin; weight 1e-3, halved from stage to stage; CE 1
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet50.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.resnet50,
    teacher_ckpt='work_dirs/ce_resnet50_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            preact1=dict(type='ModuleOutputs', source='backbone.layer2.bn1'),
            preact2=dict(type='ModuleOutputs', source='backbone.layer3.bn1'),
            preact3=dict(type='ModuleOutputs', source='backbone.layer4.bn1'),
            preact4=dict(type='ModuleOutputs', source='backbone.layer5.bn1'),
        ),
        teacher_recorders=dict(
            preact1=dict(type='ModuleOutputs', source='backbone.layer1.2.preact'),
            preact2=dict(type='ModuleOutputs', source='backbone.layer2.3.preact'),
            preact3=dict(type='ModuleOutputs', source='backbone.layer3.5.preact'),
            preact4=dict(type='ModuleOutputs', source='backbone.layer4.2.preact'),
        ),
        connectors=dict(
            ofd_student1=dict(type='icckd_mm.ConvRegConnector', s_shape=[128, 16, 16], t_shape=[256, 32, 32], relu=False),
            ofd_margin1=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer1.2.bn3'),
            ofd_student2=dict(type='icckd_mm.ConvRegConnector', s_shape=[256, 8, 8], t_shape=[512, 16, 16], relu=False),
            ofd_margin2=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer2.3.bn3'),
            ofd_student3=dict(type='icckd_mm.ConvRegConnector', s_shape=[512, 4, 4], t_shape=[1024, 8, 8], relu=False),
            ofd_margin3=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer3.5.bn3'),
            ofd_student4=dict(
                type='ConvModuleConnector', in_channel=512, out_channel=2048, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin4=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer4.2.bn3'),
        ),
        distill_losses=dict(
            loss_ofd1=dict(type='OFDLoss', loss_weight=0.125),
            loss_ofd2=dict(type='OFDLoss', loss_weight=0.25),
            loss_ofd3=dict(type='OFDLoss', loss_weight=0.5),
            loss_ofd4=dict(type='OFDLoss', loss_weight=1.0),
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
            loss_ofd4=dict(
                s_feature=dict(from_student=True, recorder='preact4', connector='ofd_student4'),
                t_feature=dict(from_student=False, recorder='preact4', connector='ofd_margin4'),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
