"""Distillers that compare logits."""
