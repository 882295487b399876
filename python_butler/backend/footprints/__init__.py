"""Where on the sky the datasets of a result are."""
