"""The image service: Glance's API v2 as NHN Cloud's clients use it."""
