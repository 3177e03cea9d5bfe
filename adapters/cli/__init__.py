"""The program `mash`."""
