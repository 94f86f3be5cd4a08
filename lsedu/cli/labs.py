"""`lsedu labs list | release | handout | copy | test` and `lsedu submit`."""

from pathlib import Path
from typing import Annotated

import typer

from lsedu.cli import _status

Labs = Annotated[list[str] | None, typer.Argument(help="Names of labs, or paths to their sources; all if none.")]
SourceFolder = Annotated[Path, typer.Option(help="Folder of the labs' sources.")]


def _sources(labs: list[str] | None, folder: Path) -> list[Path]:
    """Return the paths of the labs asked for, or of all in the folder."""
    from lsedu.authoring import LabError

    paths = [Path(lab) if lab.endswith(".md") else folder / f"{lab}.md" for lab in labs or ()]
    paths = paths or sorted(path for path in folder.glob("*.md") if "\nlsedu:" in path.read_text(encoding="utf-8"))
    if missing := [str(path) for path in paths if not path.is_file()]:
        raise LabError(f"there is no {', '.join(missing)}")
    if not paths:
        raise LabError(f"there is no lab in {folder}/: run this in the course's folder, or name another by --source")
    return paths


def register(app: typer.Typer) -> None:
    """Add the commands of this group to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Labs: list them, release them to students, test them.")
    app.add_typer(group, name="labs")

    @group.command("list")
    def list_labs(labs: Labs = None, source: SourceFolder = Path("solutions")) -> None:
        """List the labs with their questions and points."""
        from lsedu.authoring import load_lab

        for path in _sources(labs, source):
            lab = load_lab(path)
            typer.echo(f"{lab.name}  {lab.title}  ({lab.points:g} points, {lab.manifest.minutes} minutes)")
            for question in lab.questions:
                by = "by hand" if question.kind == "manual" else f"{len(question.wrong)} wrong answers known"
                typer.echo(f"    {question.id:<24} {question.points:>4g}  {question.title} ({by})")

    @group.command()
    def release(
        labs: Labs = None,
        source: SourceFolder = Path("solutions"),
        out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("labs"),
        check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if something would change.")] = False,
    ) -> None:
        """Write the students' notebooks and the files of public checks."""
        from lsedu.authoring.release import release as write

        stale = 0
        for path in _sources(labs, source):
            changed = write(path, out=out, check=check, say=typer.echo)
            stale += len(changed)
            for name in changed:
                typer.echo(f"{name}: {'is not what the source gives' if check else 'written'}")
            if not changed:
                typer.echo(f"{path.stem}: as released")
        if check and stale:
            typer.echo("Run `lsedu labs release` and commit the result.", err=True)
            raise typer.Exit(_status.NO)

    @group.command("copy")
    def copy_labs(
        source: Annotated[Path, typer.Option(help="Folder of the released labs.")] = Path("labs"),
        out: Annotated[Path, typer.Option(help="Your own folder.")] = Path("my-labs"),
    ) -> None:
        """Copy the labs to a folder of your own; what is there already stays as it is."""
        from lsedu.labs.copies import copy

        for path in copy(source, out, say=typer.echo):
            typer.echo(f"{path}: yours")

    @group.command()
    def handout(
        lab: Annotated[str, typer.Argument(help="Name of a lab, or path to its source.")],
        roster: Annotated[Path, typer.Argument(help="CSV file with a column `student`.")],
        source: SourceFolder = Path("solutions"),
        out: Annotated[Path, typer.Option(help="Folder to write STUDENT/LAB.ipynb to.")] = Path("handout"),
    ) -> None:
        """Write each student of a roster a notebook of their own variant."""
        from lsedu.authoring import variant
        from lsedu.authoring.release import handout as write

        (path,) = _sources([lab], source)
        students = variant.roster(roster)
        table = write(path, students, out=out, say=typer.echo)
        typer.echo(f"{table}: the variants, for grading by hand")

    @group.command()
    def test(labs: Labs = None, source: SourceFolder = Path("solutions")) -> None:
        """Hold labs to the gate: solution full marks, stub nothing, wrong answers their mark and message."""
        from lsedu.authoring.gate import examine

        failed = 0
        for path in _sources(labs, source):
            typer.echo(path.stem)
            findings = examine(path)
            for finding in findings:
                typer.echo(f"  {'ok  ' if finding.passed else 'FAIL'} {finding.what}")
                if not finding.passed:
                    failed += 1
                    typer.echo(f"       {finding.said}")
        if failed:
            raise typer.Exit(_status.NO)

    @group.command()
    def colab(
        labs: Labs = None,
        source: SourceFolder = Path("solutions"),
        folder: Annotated[Path, typer.Option(help="Where the stand-in for Colab is kept.")] = Path("build/colab"),
        torch: Annotated[str, typer.Option(help="Another torch to install, such as torch==2.11.0.")] = "",
    ) -> None:
        """Rehearse labs, solved, as on Colab; those with a file to hand in are handed in and graded."""
        from lsedu.authoring import load_lab
        from lsedu.authoring.colab import image
        from lsedu.cli._on_colab import rehearse

        paths = _sources(labs, source)
        made = image(folder, project=Path.cwd(), torch=torch, say=typer.echo)
        typer.echo(f"Colab: {', '.join(f'{name} {number}' for name, number in made.versions.items())}")
        failed = 0
        for path in paths:
            said = rehearse(load_lab(path), made, folder / "content" / path.stem, hide=Path.cwd(), say=typer.echo)
            typer.echo(f"  {'FAIL' if said else 'ok  '} {path.stem}{said and f': {said}'}")
            failed += bool(said)
        if failed:
            raise typer.Exit(_status.NO)

    @app.command()
    def submit(
        notebook: Annotated[Path, typer.Argument(help="The lab's notebook, saved.")],
        out: Annotated[Path, typer.Option(help="Folder for the file to hand in.")] = Path("submission"),
        timeout: Annotated[int, typer.Option(help="Longest time of one cell, in seconds.")] = 1800,
    ) -> None:
        """Restart, run all, check, and write the one file to hand in."""
        from lsedu.labs.submit import submit as hand_in

        typer.echo(repr(hand_in(notebook, out=out, timeout=timeout, say=typer.echo)))
