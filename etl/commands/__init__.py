"""Groups of commands: parse, call one use case, print. Each is added to the command line by cli.py."""
