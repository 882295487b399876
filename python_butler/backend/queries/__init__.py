"""Finding datasets: what narrows a list, how a butler is told, and which values there are to choose from."""
