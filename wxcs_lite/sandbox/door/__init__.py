"""Ways into the served sandbox beside plain HTTP: the proxy, for SDKs whose address cannot be changed."""
