"""The version of the library and the product."""

VERSION = "0.1.0"
"""Part of every run's fingerprint: a new version repeats runs instead of reusing old results."""
