_base_ = 'kd_logits_wrn40-2_wrn16-2_1xb64_cifar100.py'

model = dict(teacher_ckpt='work_dirs/mcmi_wrn40-2_1xb64_cifar100/epoch_20.pth')
