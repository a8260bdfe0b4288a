"""Ways into the served sandbox beside plain HTTP: a proxy, for SDKs with a fixed address, and a page for people."""
