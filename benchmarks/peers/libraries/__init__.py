"""Recognisers as libraries beside ours: the same weights, the same audio, each in a process of its own."""
