"""What became of datasets that somebody used before: whether they are still there, and still the newest."""
