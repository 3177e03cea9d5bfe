"""The hub's watch: what passes is verified, entered and judged, and people are told when somebody waits unseen."""
