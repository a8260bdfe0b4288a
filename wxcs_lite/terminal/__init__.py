"""What `python -m wxcs_lite` does in a terminal."""
