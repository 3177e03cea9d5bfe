"""Evidence: what proves, to somebody who trusts nobody, who asked and answered what and when."""
