_base_ = 'kd-rkd_logits-neck_resnet110_resnet32_1xb64_cifar10.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet110_1xb64_cifar10/epoch_240.pth')
