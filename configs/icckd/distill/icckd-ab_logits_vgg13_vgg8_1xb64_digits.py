# The second stage of activation boundaries: plain distillation of a student that starts from the first
_base_ = 'icckd-kd_logits_vgg13_vgg8_1xb64_digits.py'

_base_.model.architecture.init_cfg = dict(
    type='Pretrained',
    checkpoint='work_dirs/icckd-ab-pretrain_backbone_vgg13_vgg8_1xb64_digits/epoch_15.pth',
    prefix='architecture',  # the student only; the teacher is loaded from teacher_ckpt
)
