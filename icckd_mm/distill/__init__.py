"""Distillation with mmrazor made safe: checked teachers, corrected losses, validation and early stop.

Only :mod:`icckd_mm.distill.algorithms` needs mmrazor; a registry imports it when a name is found nowhere else.
"""
