"""Servers for one machine and one run: private, on their own ports and folders, gone at the end."""
