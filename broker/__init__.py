"""The hub: provisions, carries and watches sealed envelopes. It verifies them and never opens one."""
