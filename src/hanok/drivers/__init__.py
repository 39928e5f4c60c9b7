"""Adapters to reality: hypervisors, disks and networks, behind the protocols of `base`."""
