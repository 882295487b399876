"""A satellite as a whole goes elsewhere: into one file and back, to another database or other storage."""
