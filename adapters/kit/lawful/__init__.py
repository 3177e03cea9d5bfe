"""Whether a release, or a refusal, is lawful as it is recorded (LAW-01 to LAW-30)."""
