# The published form of PCKD: each image turned by 0, 90, 180 and 270 degrees, at four times the cost; cross-entropy and soft
# labels see only the upright view. In addition an experiment needs
#   data_preprocessor = dict(type='icckd_mm.RotationDataPreprocessor')
#   _base_.<student>.head.loss.type = 'icckd_mm.FirstViewCrossEntropyLoss'
_base_ = 'pckd.py'

model = dict(distiller=dict(distill_losses=dict(loss_cc=dict(num_rotations=4), loss_kd=dict(num_rotations=4))))
