"""The `lsedu` command: one thin module a command group, each command a call into the library."""

import typer

from lsedu import __version__, _light
from lsedu.cli import book, data, grade, labs, run
from lsedu.cli._status import Commands

app = typer.Typer(
    name="lsedu",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    help="Label smoothing: data, experiments, labs and their grading.",
)


@app.callback(invoke_without_command=True)
def main(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    """Handle the options that belong to no command."""
    _light.begin()
    if version:
        typer.echo(__version__)
        raise typer.Exit


for group in (data, run, labs, grade, book):
    group.register(app)

__all__ = ["app"]
