"""The program `mash-hub`: one module a group of commands."""
