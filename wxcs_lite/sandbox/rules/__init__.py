"""What WeChat remembers and refuses. Nothing here knows about HTTP bytes, and time is an argument."""
