"""The production broker: its configuration, and the little certificate authority of the partnership."""
