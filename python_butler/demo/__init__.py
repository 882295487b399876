"""A whole miniature science platform on loopback: simulated data, object store, Butler server, JupyterLab."""
