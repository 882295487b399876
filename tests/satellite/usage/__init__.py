"""Room: what is used, what there is, and making some."""
