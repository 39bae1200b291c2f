"""Loopback listeners that lend the signed-in account to trusted local plugins, one part each."""
