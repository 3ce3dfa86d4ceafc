"""Writes what code and measurements say into the pages."""
