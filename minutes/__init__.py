"""Minutes: from the lines of a meeting to what came of it, each statement with the lines that carry it.

Knows no database, no web and no clock.
"""
