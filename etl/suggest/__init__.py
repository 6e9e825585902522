"""Suggest a mapping: what each column of a file probably is, how sure that is, and why. A person decides."""
