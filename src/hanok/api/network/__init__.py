"""The network service, v2.0."""
