"""The commands of `python -m wxcs_lite`."""
