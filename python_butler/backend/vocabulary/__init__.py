"""The words one may use in a query of a repository, and what a word begun may become.

Completion in cells and in where-expressions asks here; every answer is bounded and remembered.
"""
