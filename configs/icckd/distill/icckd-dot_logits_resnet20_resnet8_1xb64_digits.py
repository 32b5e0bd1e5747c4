_base_ = 'icckd-kd_logits_resnet20_resnet8_1xb64_digits.py'

# DOT (Zhao et al. 2023): momentum 0.9 - 0.075 for the labels and 0.9 + 0.075 for the soft labels
optim_wrapper = dict(type='icckd_mm.DOTOptimWrapper', optimizer=dict(type='icckd_mm.DOTSGD', delta=0.075))
