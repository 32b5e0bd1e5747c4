"""Distillation with mmrazor made safe: checked teachers, corrected losses, validation and early stop.

Only :mod:`icckd_mm.distill.safe_teacher_distill` needs mmrazor; a registry imports it when a name is found nowhere else.
"""
