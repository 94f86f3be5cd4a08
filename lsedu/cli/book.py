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


@group.command()
def build(root: Path = ROOT, profile: str = PROFILE, seed: int = SEED, device: str = DEVICE) -> None:
    """Execute what changed, check the stored outputs' form, build the site and print where it is."""
    from lsedu.book import expected, pages, site

    book = pages.Book(root.resolve())
    expected.check_stored(book)
    parameters = {"profile": profile, "seed": seed, "device": device}
    first = site.build(book, parameters=parameters, say=lambda line: typer.echo(f"book: {line}"))
    typer.echo(f"book: the site is at {first.as_uri()}")


@group.command("execute")
def execute_(root: Path = ROOT, profile: str = PROFILE, seed: int = SEED, device: str = DEVICE) -> None:
    """Execute what changed, build nothing, and print where each notebook with its outputs is."""
    from lsedu.book import execute, pages

    parameters = {"profile": profile, "seed": seed, "device": device}
    executed = execute.execute(pages.Book(root.resolve()), parameters, say=typer.echo)
    for path in executed.values():
        typer.echo(path)


@group.command()
def check(root: Path = ROOT) -> None:
    """Run every page again under nbval and compare the marked outputs."""
    from lsedu.book import expected, pages

    expected.check(pages.Book(root.resolve()))
    typer.echo("book: every marked output is as expected")


@group.command("expected")
def expected_(root: Path = ROOT) -> None:
    """Refresh the expected outputs at the smoke profile; review the difference like code."""
    from lsedu.book import execute, expected, pages

    book = pages.Book(root.resolve())
    executed = execute.execute(book, expected.PARAMETERS, say=typer.echo)
    expected.refresh(book, executed, say=typer.echo)


@group.command()
def serve(
    root: Path = ROOT, port: int = typer.Option(8000, help="Port on this machine; if it is taken, the next free one.")
) -> None:
    """Serve the built site on this machine."""
    import contextlib

    from lsedu.book import pages
    from lsedu.book.serve import server

    site = pages.Book(root.resolve()).site
    if not (site / "index.html").is_file():
        raise pages.BookError(f"there is no site at {site}; run `make book` first")
    with server(site, port) as running:
        if running.server_port != port:
            typer.echo(f"book: port {port} is taken")
        typer.echo(f"book: http://127.0.0.1:{running.server_port}/ (Ctrl-C stops)")
        with contextlib.suppress(KeyboardInterrupt):
            running.serve_forever()
