"""Sessions for programs, over HTTP: what the pages do, with the same rights."""
