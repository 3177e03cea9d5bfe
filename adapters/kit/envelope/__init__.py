"""Sealing and opening: what goes into an envelope, what comes out of one, and the evidence that it leaves."""
