"""Webhooks: what happens in meetings, told to other programs by HTTP until they have heard it."""
