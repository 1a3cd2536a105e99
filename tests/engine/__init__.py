"""Engines against the network itself."""
