"""What is true and what is legal: pure Python, no I/O, no clock."""
