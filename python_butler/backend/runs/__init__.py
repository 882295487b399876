"""Runs of pipelines: how far they are, what failed and why, and the logs; nothing is started here.

`models` and `routes` face the browser; `overview` reads the directories of runs in threads.
"""
