# Overhaul of feature distillation (Heo et al. 2019, arXiv 1904.01866) between wide ResNets of factor 2, on the batch norm after
# each stage, before its ReLU; an addition to model.distiller, with model.type 'icckd_mm.OverhaulFeatureDistillation'. Margins
# come from the teacher's batch norm when the model is built, so its weights must be loaded by teacher_ckpt: init_cfg and
# load_from are too late
ofd = dict(
    type='OFDDistiller',
    student_recorders=dict(
        stage1=dict(type='ModuleOutputs', source='backbone.layer2.0.bn1'),
        stage2=dict(type='ModuleOutputs', source='backbone.layer3.0.bn1'),
        stage3=dict(type='ModuleOutputs', source='backbone.bn1'),
    ),
    teacher_recorders=dict(
        stage1=dict(type='ModuleOutputs', source='backbone.layer2.0.bn1'),
        stage2=dict(type='ModuleOutputs', source='backbone.layer3.0.bn1'),
        stage3=dict(type='ModuleOutputs', source='backbone.bn1'),
    ),
    connectors=dict(
        student1=dict(type='ConvModuleConnector', in_channel=32, out_channel=32, norm_cfg=dict(type='BN'), act_cfg=None),
        student2=dict(type='ConvModuleConnector', in_channel=64, out_channel=64, norm_cfg=dict(type='BN'), act_cfg=None),
        student3=dict(type='ConvModuleConnector', in_channel=128, out_channel=128, norm_cfg=dict(type='BN'), act_cfg=None),
        margin1=dict(type='OFDTeacherConnector'),
        margin2=dict(type='OFDTeacherConnector'),
        margin3=dict(type='OFDTeacherConnector'),
    ),
    distill_losses=dict(
        loss_ofd1=dict(type='OFDLoss', loss_weight=0.25),
        loss_ofd2=dict(type='OFDLoss', loss_weight=0.5),
        loss_ofd3=dict(type='OFDLoss', loss_weight=1.0),
    ),
    loss_forward_mappings=dict(
        loss_ofd1=dict(
            s_feature=dict(from_student=True, recorder='stage1', connector='student1'),
            t_feature=dict(from_student=False, recorder='stage1', connector='margin1'),
        ),
        loss_ofd2=dict(
            s_feature=dict(from_student=True, recorder='stage2', connector='student2'),
            t_feature=dict(from_student=False, recorder='stage2', connector='margin2'),
        ),
        loss_ofd3=dict(
            s_feature=dict(from_student=True, recorder='stage3', connector='student3'),
            t_feature=dict(from_student=False, recorder='stage3', connector='margin3'),
        ),
    ),
)
