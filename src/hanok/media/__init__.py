"""Tenants' image bytes: the only code that reads them or runs qemu-img on them."""
