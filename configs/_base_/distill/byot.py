# Be your own teacher (Zhang et al. 2019, arXiv 1905.08094): classifiers after the first two stages of resnet8 learn from its
# own last stage and from the labels; a control without any teacher. pool_size is the side of the last stage's maps: 4 for
# images of 16x16, 8 for 32x32
model = dict(
    _scope_='mmrazor',
    type='SelfDistill',
    distiller=dict(
        type='BYOTDistiller',
        student_recorders=dict(
            stage1=dict(type='ModuleOutputs', source='backbone.layer1'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer2'),
        ),
        teacher_recorders=dict(  # of the same network; BYOTDistiller detaches them
            features=dict(type='ModuleOutputs', source='neck.gap'),
            logits=dict(type='ModuleOutputs', source='head.fc'),
            labels=dict(type='ModuleInputs', source='head.loss_module'),
        ),
        connectors=dict(
            exit1=dict(
                type='BYOTConnector', in_channel=16, out_channel=64, expansion=1, stride=2, pool_size=4, num_classes=100
            ),
            exit2=dict(
                type='BYOTConnector', in_channel=32, out_channel=64, expansion=1, stride=2, pool_size=4, num_classes=100
            ),
        ),
        distill_losses=dict(  # mmrazor's L2Loss would compare each image with all others of the batch
            loss_features1=dict(type='icckd_mm.L2Loss', normalize=False, dist=True, loss_weight=0.03),
            loss_features2=dict(type='icckd_mm.L2Loss', normalize=False, dist=True, loss_weight=0.03),
            loss_labels1=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=0.7),
            loss_labels2=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=0.7),
            loss_kl1=dict(type='KLDivergence', tau=3, reduction='batchmean', loss_weight=0.3),
            loss_kl2=dict(type='KLDivergence', tau=3, reduction='batchmean', loss_weight=0.3),
        ),
        loss_forward_mappings=dict(
            loss_features1=dict(
                s_feature=dict(from_student=True, recorder='stage1', connector='exit1', connector_idx=0),
                t_feature=dict(from_student=False, recorder='features'),
            ),
            loss_features2=dict(
                s_feature=dict(from_student=True, recorder='stage2', connector='exit2', connector_idx=0),
                t_feature=dict(from_student=False, recorder='features'),
            ),
            loss_labels1=dict(
                cls_score=dict(from_student=True, recorder='stage1', connector='exit1', connector_idx=1),
                label=dict(from_student=False, recorder='labels', data_idx=1),
            ),
            loss_labels2=dict(
                cls_score=dict(from_student=True, recorder='stage2', connector='exit2', connector_idx=1),
                label=dict(from_student=False, recorder='labels', data_idx=1),
            ),
            loss_kl1=dict(
                preds_S=dict(from_student=True, recorder='stage1', connector='exit1', connector_idx=1),
                preds_T=dict(from_student=False, recorder='logits'),
            ),
            loss_kl2=dict(
                preds_S=dict(from_student=True, recorder='stage2', connector='exit2', connector_idx=1),
                preds_T=dict(from_student=False, recorder='logits'),
            ),
        ),
    ),
)
