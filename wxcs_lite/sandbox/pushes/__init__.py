"""What WeChat pushes to a developer's server, and what it makes of the answer."""
