"""What the forked `mash` has imported already: the program with every command of it."""

from importlib import import_module

from adapters.cli.main import COMMANDS
from adapters.kit.running import adapter as adapter
from adapters.la.console import office as office
from tests.integration.commands import program as program

for command in COMMANDS.values():
    import_module(command.target.partition(":")[0])
