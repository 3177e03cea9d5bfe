"""The agencies: everything that may hold a private key or plaintext lives in this room."""
