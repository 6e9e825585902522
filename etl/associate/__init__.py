"""Association of vitamin B12 with restless legs: statistics on frames, coherence of published figures, the report."""
