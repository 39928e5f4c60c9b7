"""Where a server goes: pure functions over a snapshot of hosts."""
