"""The calls that are answered: from a request to a reply."""
