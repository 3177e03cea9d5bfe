"""The program `mash`."""


def main() -> None:
    """Run `mash`."""
