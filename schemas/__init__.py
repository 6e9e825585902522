"""Contracts: tables, analytes, units, instruments, codes, reasons and errors. Imports nothing of ours."""
