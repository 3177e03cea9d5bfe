"""Puts the system on machines: images, local servers, the demonstration."""
