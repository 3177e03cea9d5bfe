"""The desk of an agency that was asked: what arrives (`intake`), and what a practitioner does with it."""
