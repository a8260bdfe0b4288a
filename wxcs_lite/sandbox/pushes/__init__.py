"""What WeChat pushes to a developer's server, and how it judges the answer."""
