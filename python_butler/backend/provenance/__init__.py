"""Where a dataset comes from and what was made from it, one step at a time; and which collections hold it.

`steps` asks for both from whatever recorded them: notes of the personal repository, what is written into the
files, and what the tasks of a run left behind. What nobody recorded is not guessed.
"""
