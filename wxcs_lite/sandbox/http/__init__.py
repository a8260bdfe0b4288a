"""The sandbox's HTTP/1.1: the protocol without I/O, then in memory and over sockets."""
