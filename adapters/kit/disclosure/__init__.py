"""Disclosure: what may leave, why, for whom, on whose word."""
