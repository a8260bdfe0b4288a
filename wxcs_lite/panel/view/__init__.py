"""The panel's widgets: what they look like and which of the desk's methods they call. They decide nothing."""
