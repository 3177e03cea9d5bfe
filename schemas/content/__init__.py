"""The inside of a message: what agencies tell each other. The hub never imports this room.

Every model is frozen, closed to unknown fields and hides its input in errors, so that a validation error can be
logged without saying anything about a person (design, "Never" 1).
"""
