"""Where process() runs: the same function on one machine, or distributed."""
