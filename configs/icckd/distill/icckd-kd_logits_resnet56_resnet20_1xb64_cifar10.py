_base_ = 'kd_logits_resnet56_resnet20_1xb64_cifar10.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet56_1xb64_cifar10/epoch_240.pth')
