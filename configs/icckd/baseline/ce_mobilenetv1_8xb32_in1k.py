_base_ = [
    '../../_base_/datasets/in1k.py',
    '../../_base_/models/in1k/mobilenetv1.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
model = _base_.mobilenetv1
