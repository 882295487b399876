"""Configuration of the documentation build."""

from importlib.metadata import version as _version

project = "python-butler"
author = "The python-butler developers"
copyright = "2026, The python-butler developers"
release = _version("python-butler")

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
html_theme = "pydata_sphinx_theme"
html_title = "python-butler"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# The example notebooks need a running platform; the tests execute them, the documentation shows them.
nb_execution_mode = "off"
autosummary_generate = True
autodoc_typehints = "none"
default_role = "any"
nitpicky = False
numpydoc_show_class_members = False
suppress_warnings = ["ref.any"]
