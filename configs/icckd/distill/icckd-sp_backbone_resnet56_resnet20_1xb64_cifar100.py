_base_ = 'sp_backbone_resnet56_resnet20_1xb64_cifar100.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet56_1xb64_cifar100/epoch_240.pth')
