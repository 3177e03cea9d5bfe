"""One adapter as a running program: its settings, its users, its partners, its link to the hub, its chores."""
