"""Audit: who did what with which voice, meeting or account, and from where. Knows none of them."""
