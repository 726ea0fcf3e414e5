"""Uploads: files that become meetings. Sent in pieces, they wait, and live meetings go first."""
