"""The image service, v2."""
