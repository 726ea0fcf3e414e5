#!/usr/bin/env python
"""The command line of a checkout."""

from asrsite.command_line import main

if __name__ == "__main__":
    main()
