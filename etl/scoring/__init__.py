"""From answers to scores: read the texts, settle the version, score, and say what cannot be right."""
