"""Harmonize: small named steps that turn texts into numbers, units, dates, codes and pseudonyms."""
