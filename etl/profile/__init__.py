"""Profile: what is in a file before anything is mapped; values that fewer than five subjects share are not shown."""
