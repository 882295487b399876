"""The room of the search: what is found by name, by documentation or by identifier, loaded or not."""
