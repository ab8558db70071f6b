"""Starts MiniStack as this project uses it; emulator.py runs this file."""

import socketserver

# Its Lambda runtime answers over a socket on which Nagle's algorithm and delayed ACKs wait
# for each other: 40 ms an invocation.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack.app import main  # noqa: E402 (the switch must be set first)

if __name__ == "__main__":
    main()
