# ofd: Maps before the ReLU of every stage, the teacher's above its margin; weight 1e-3, halved from stage to stage; CE 1
_base_ = [
    '../../_base_/datasets/in1k.py',
    '../../_base_/models/in1k/resnet50.py',
    '../../_base_/models/in1k/mobilenetv1.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
train_dataloader = dict(batch_size=16)
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.mobilenetv1,
    teacher=_base_.resnet50,
    teacher_ckpt='work_dirs/ce_resnet50_8xb32_in1k/epoch_100.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            preact1=dict(type='ModuleOutputs', source='backbone.layer1.2.bn2'),
            preact2=dict(type='ModuleOutputs', source='backbone.layer2.1.bn2'),
            preact3=dict(type='ModuleOutputs', source='backbone.layer3.5.bn2'),
            preact4=dict(type='ModuleOutputs', source='backbone.layer4.1.bn2'),
        ),
        teacher_recorders=dict(
            preact1=dict(type='ModuleInputs', source='backbone.layer1.2.relu'),
            preact2=dict(type='ModuleInputs', source='backbone.layer2.3.relu'),
            preact3=dict(type='ModuleInputs', source='backbone.layer3.5.relu'),
            preact4=dict(type='ModuleInputs', source='backbone.layer4.2.relu'),
        ),
        connectors=dict(
            ofd_student1=dict(
                type='ConvModuleConnector', in_channel=128, out_channel=256, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin1=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer1.2.bn3'),
            ofd_student2=dict(
                type='ConvModuleConnector', in_channel=256, out_channel=512, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin2=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer2.3.bn3'),
            ofd_student3=dict(
                type='ConvModuleConnector', in_channel=512, out_channel=1024, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin3=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer3.5.bn3'),
            ofd_student4=dict(
                type='ConvModuleConnector', in_channel=1024, out_channel=2048, norm_cfg=dict(type='BN'), act_cfg=None
            ),
            ofd_margin4=dict(type='icckd_mm.OFDMarginConnector', norm='backbone.layer4.2.bn3'),
        ),
        distill_losses=dict(
            loss_ofd1=dict(type='OFDLoss', loss_weight=0.0125),
            loss_ofd2=dict(type='OFDLoss', loss_weight=0.025),
            loss_ofd3=dict(type='OFDLoss', loss_weight=0.05),
            loss_ofd4=dict(type='OFDLoss', loss_weight=0.1),
        ),
        loss_forward_mappings=dict(
            loss_ofd1=dict(
                s_feature=dict(from_student=True, recorder='preact1', connector='ofd_student1'),
                t_feature=dict(from_student=False, recorder='preact1', data_idx=0, record_idx=2, connector='ofd_margin1'),
            ),
            loss_ofd2=dict(
                s_feature=dict(from_student=True, recorder='preact2', connector='ofd_student2'),
                t_feature=dict(from_student=False, recorder='preact2', data_idx=0, record_idx=2, connector='ofd_margin2'),
            ),
            loss_ofd3=dict(
                s_feature=dict(from_student=True, recorder='preact3', connector='ofd_student3'),
                t_feature=dict(from_student=False, recorder='preact3', data_idx=0, record_idx=2, connector='ofd_margin3'),
            ),
            loss_ofd4=dict(
                s_feature=dict(from_student=True, recorder='preact4', connector='ofd_student4'),
                t_feature=dict(from_student=False, recorder='preact4', data_idx=0, record_idx=2, connector='ofd_margin4'),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
optim_wrapper = dict(optimizer=dict(lr=0.05))
