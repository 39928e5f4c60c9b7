"""Logs, metrics and events for the operator."""
