"""`lsedu book`: execute, check and build the book of a checkout."""

from pathlib import Path

import typer

group = typer.Typer(no_args_is_help=True, help="Execute, check and build the book of a checkout.")

ROOT = typer.Option(Path("."), help="The checkout.")
PROFILE = typer.Option("smoke", help="Scale at which the pages run.")
SEED = typer.Option(0, help="Seed of the pages.")
DEVICE = typer.Option("cpu", help="Torch device of the pages.")


def register(app: typer.Typer) -> None:
    """Add the commands of this group to `app`."""
    app.add_typer(group, name="book")


def _fail(error: Exception) -> typer.Exit:
    typer.echo(f"lsedu book: {error}", err=True)
    return typer.Exit(1)


@group.command()
def build(root: Path = ROOT, profile: str = PROFILE, seed: int = SEED, device: str = DEVICE) -> None:
    """Execute what changed, check the stored outputs' form, build the site and print where it is."""
    from lsedu.book import expected, pages, site

    book = pages.Book(root.resolve())
    try:
        expected.check_stored(book)
        parameters = {"profile": profile, "seed": seed, "device": device}
        first = site.build(book, parameters=parameters, say=lambda line: typer.echo(f"book: {line}"))
    except pages.BookError as error:
        raise _fail(error) from None
    typer.echo(f"book: the site is at {first.as_uri()}")


@group.command("execute")
def execute_(root: Path = ROOT, profile: str = PROFILE, seed: int = SEED, device: str = DEVICE) -> None:
    """Execute what changed, build nothing, and print where each notebook with its outputs is."""
    from lsedu.book import execute, pages

    try:
        parameters = {"profile": profile, "seed": seed, "device": device}
        executed = execute.execute(pages.Book(root.resolve()), parameters, say=typer.echo)
    except pages.BookError as error:
        raise _fail(error) from None
    for path in executed.values():
        typer.echo(path)


@group.command()
def check(root: Path = ROOT) -> None:
    """Run every page again under nbval and compare the marked outputs."""
    from lsedu.book import expected, pages

    try:
        expected.check(pages.Book(root.resolve()))
    except pages.BookError as error:
        raise _fail(error) from None
    typer.echo("book: every marked output is as expected")


@group.command("expected")
def expected_(root: Path = ROOT) -> None:
    """Refresh the expected outputs at the smoke profile; review the difference like code."""
    from lsedu.book import execute, expected, pages

    book = pages.Book(root.resolve())
    try:
        executed = execute.execute(book, expected.PARAMETERS, say=typer.echo)
        expected.refresh(book, executed, say=typer.echo)
    except pages.BookError as error:
        raise _fail(error) from None


@group.command()
def serve(root: Path = ROOT, port: int = typer.Option(8000, help="Port on this machine.")) -> None:
    """Serve the built site on this machine."""
    import functools
    import http.server

    from lsedu.book import pages

    site = pages.Book(root.resolve()).site
    if not (site / "index.html").is_file():
        raise _fail(FileNotFoundError(f"there is no site at {site}; run `make book` first"))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        typer.echo(f"book: http://127.0.0.1:{server.server_port}/ (Ctrl-C stops)")
        server.serve_forever()
