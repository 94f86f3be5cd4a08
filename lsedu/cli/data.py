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

    for name in data.SETS:
        source = data.at_hand(data.source(name))
        files = [file for part in source.files.values() for file in part]
        here = all((path := data.locate(source, file)) is not None and path.is_file() for file in files)
        typer.echo(f"{name}: {source.title}; licence: {source.licence}; {'here' if here else 'not on this machine'}")


def _each_file(name: str, action: str) -> None:
    """Say where every file of a set lies; `fetch` gets it, `check` and `fetch` hold it to its hash."""
    from lsedu import data
    from lsedu.data.download import check as check_hash

    source = data.at_hand(data.source(name))
    for file in dict.fromkeys(file for part in source.files.values() for file in part):
        if action == "fetch":
            typer.echo(f"{data.fetch(source, file)}: {file.hash.split(':')[0]} is right")
            continue
        path = data.locate(source, file)
        if path is None:
            raise data.DataUnavailableError(
                f"{file.name} is not on this machine; `lsedu data fetch {name}` gets the set"
            )
        typer.echo(f"{check_hash(path, file)}: {file.hash.split(':')[0]} is right" if action == "check" else path)


@group.command()
def fetch(name: str) -> None:
    """Get a data set: from LSEDU_DATA, the cache or its official address. An interrupted download is resumed."""
    _each_file(name, "fetch")


@group.command()
def where(name: str) -> None:
    """Say where the files of a data set lie on this machine."""
    _each_file(name, "where")


@group.command()
def check(name: str) -> None:
    """Hold the files of a data set on this machine to their hashes."""
    _each_file(name, "check")
