_base_ = 'kd-2view_logits_resnet32x4_shufflenetv2_1xb64_cifar100.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet32x4_1xb64_cifar100/epoch_240.pth')
