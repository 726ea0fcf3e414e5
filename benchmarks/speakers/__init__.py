"""Who is speaking: how often that is right, on real voices, and what it costs."""
