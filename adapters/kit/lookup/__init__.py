"""From an agency's own system to the persons and records of a request: reading, matching, selecting."""
