_base_ = 'cifar100.py'

# Mean and std of all pixels of the training images (mmpretrain's std is the mean of the images' stds)
data_preprocessor = dict(mean=[125.31, 122.95, 113.87], std=[62.99, 62.09, 66.70])

train_dataloader = dict(dataset=dict(type='mmpretrain.CIFAR10', data_root='data/cifar10'))
val_dataloader = dict(dataset=dict(type='mmpretrain.CIFAR10', data_root='data/cifar10'))
test_dataloader = val_dataloader
