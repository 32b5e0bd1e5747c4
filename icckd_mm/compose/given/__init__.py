"""What users give: networks, images, methods, weights, a schedule."""
