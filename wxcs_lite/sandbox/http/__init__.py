"""HTTP/1.1 at the sandbox's doors: the protocol without I/O, then in memory and over sockets."""
