"""How fast the pages are: a long transcript, an edit, a search in years of meetings, a first visit."""
