"""What WeChat remembers and refuses. Nothing in here knows HTTP's bytes, and time is an argument."""
