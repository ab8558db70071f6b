"""Runs LocalStack's functions as processes of this machine instead of Docker containers.

api.py is the Runtime API that a `bootstrap` talks to, environment.py the life of one
execution environment, executor.py what LocalStack calls. The first two need the standard
library only.

It is found by its entry point: the directory above this one is on PYTHONPATH.
"""
