_base_ = 'wkd_logits_resnet34_resnet18_8xb32_in1k.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet34_8xb32_in1k/epoch_100.pth')
