# Subclass distillation: each class of the teacher is divided into 5, found by k-means in its features
_base_ = 'kd_logits_resnet20_resnet8_1xb64_digits.py'

model = dict(
    architecture=dict(head=dict(type='icckd_mm.SubclassClsHead', subclasses=5)),
    teacher_ckpt='work_dirs/icc_resnet20_1xb64_digits/epoch_15.pth',
    distiller=dict(
        teacher_recorders=dict(pooled=dict(type='ModuleInputs', source='head.fc')),
        distill_losses=dict(
            _delete_=True,
            loss_subclass=dict(
                type='icckd_mm.SubclassKLLoss',
                num_classes=10,
                subclasses=5,
                feat_dims=64,
                how='kmeans',
                tau=4.0,
                loss_weight=0.9,
            ),
        ),
        loss_forward_mappings=dict(
            _delete_=True,
            loss_subclass=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                features_T=dict(from_student=False, recorder='pooled', data_idx=0),
            ),
        ),
    ),
)
custom_hooks = [dict(type='icckd_mm.SubclassHook')]
