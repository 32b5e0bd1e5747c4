# The benchmark's variant on ImageNet, 0.5 CE + 0.5 KL with T = 1
_base_ = 'kd_logits.py'

model = dict(distiller=dict(distill_losses=dict(loss_kl=dict(tau=1, loss_weight=0.5))))
