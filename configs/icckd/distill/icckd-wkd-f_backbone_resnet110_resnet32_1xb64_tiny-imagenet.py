_base_ = 'wkd-f_backbone_resnet110_resnet32_1xb64_tiny-imagenet.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet110_1xb64_tiny-imagenet/epoch_240.pth')
