"""What carrying a session costs, besides recognising it: CPU, memory under pressure, and the way to many."""
