"""A whole miniature science platform on loopback, for trying things out and for tests.

Room: demo. It may use every other room; no other room uses it.
"""
