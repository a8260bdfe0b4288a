"""The calls that the sandbox answers: from a request to a reply."""
