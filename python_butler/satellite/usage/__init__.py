"""How much room a satellite takes, how much there is, and making some."""
