"""`lsedu data`: what sets there are, where they lie, and getting them."""

import typer

group = typer.Typer(no_args_is_help=True, help="List, fetch and check data sets.")


def register(app: typer.Typer) -> None:
    """Add the commands of this group to `app`."""
    app.add_typer(group, name="data")


@group.command("list")
def list_() -> None:
    """List the data sets, their licences and whether they are on this machine."""
    from lsedu import data

    for name, source in data.SETS.items():
        files = [file for part in source.files.values() for file in part]
        here = all((path := data.locate(source, file)) is not None and path.is_file() for file in files)
        typer.echo(f"{name}: {source.title}; licence: {source.licence}; {'here' if here else 'not on this machine'}")


@group.command()
def fetch(name: str) -> None:
    """Get a data set: from LSEDU_DATA, the cache or its official address. An interrupted download is resumed."""
    from lsedu import data

    try:
        source = data.source(name)
        for part in source.files.values():
            for file in part:
                typer.echo(f"{data.fetch(source, file)}: sha256 is right")
    except (KeyError, data.DataUnavailableError, data.CorruptDataError) as error:
        typer.echo(f"lsedu data: {error.args[0]}", err=True)
        raise typer.Exit(1) from None
