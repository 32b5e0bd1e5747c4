"""Distillers that compare features or maps."""
