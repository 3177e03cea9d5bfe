"""The program `mash-hub`."""


def main() -> None:
    """Run `mash-hub`."""
