"""Use cases over engines over inspect, process and derive over harmonize, readers and sites."""
