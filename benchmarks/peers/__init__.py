"""Other servers for live speech beside ours: same audio, same weights, one core, their own protocols."""
