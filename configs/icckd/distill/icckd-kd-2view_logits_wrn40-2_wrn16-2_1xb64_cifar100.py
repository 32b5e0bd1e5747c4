_base_ = 'kd-2view_logits_wrn40-2_wrn16-2_1xb64_cifar100.py'

model = dict(teacher_ckpt='work_dirs/icc_wrn40-2_1xb64_cifar100/epoch_240.pth')
