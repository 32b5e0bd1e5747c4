"""Contrastive losses as functions."""
