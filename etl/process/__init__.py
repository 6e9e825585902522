"""process(batch, plan): read records in, candidates out. Pure: no file, no warehouse, no clock."""
