"""The agency's own keys: made, wrapped on disk or in a token, rotated, erased when their window is over, revoked."""
