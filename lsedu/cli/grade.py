"""`lsedu grade LAB SUBMISSIONS --out DIR`."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this group to `app`."""

    @app.command()
    def grade(
        lab: Annotated[Path, typer.Argument(help="The lab's source (.md).")],
        submissions: Annotated[Path, typer.Argument(help="A folder, notebook or zip a student; or a zip of all.")],
        out: Annotated[Path, typer.Option(help="Folder for grades, results and feedback.")],
        jobs: Annotated[int, typer.Option(help="Submissions at a time; 0: one a core, four at most.")] = 0,
        only: Annotated[str | None, typer.Option(help="Grade this student only.")] = None,
        regrade: Annotated[bool, typer.Option("--regrade", help="Grade again, with the same secret.")] = False,
        question: Annotated[str | None, typer.Option(help="Grade this question again, and leave the others.")] = None,
        roster: Annotated[
            Path | None, typer.Option(help="CSV table with the columns `student` and `name`: names, and who is absent.")
        ] = None,
        examples: Annotated[
            bool, typer.Option("--examples", help="After release: add a public seed on which a function fails alike.")
        ] = False,
        secret_file: Annotated[Path | None, typer.Option(help="The secret; by default in your state folder.")] = None,
        at_most: Annotated[int, typer.Option(help="The highest isolation level to use.", min=0, max=4)] = 4,
        unsandboxed: Annotated[
            bool, typer.Option("--i-accept-an-unsandboxed-run", help="Run students' code even without a sandbox.")
        ] = False,
    ) -> None:
        """Grade a class: points by question, reasons, flags, and a feedback page a student."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from lsedu.grading import ClassError, Options
        from lsedu.grading import grade as run
        from lsedu.grading.results import printable

        options = Options(
            jobs=jobs,
            only=only,
            regrade=regrade,
            unsandboxed=unsandboxed,
            at_most=at_most,
            secret_file=secret_file,
            examples=examples,
            roster=roster,
            question=question,
        )
        if not lab.is_file():
            raise ClassError(f"there is no lab {lab}: give the path of its source, such as solutions/lab01.md")
        console = Console(stderr=True)
        columns = [BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}")]
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=None)

            def show(done: int, total: int, student: str) -> None:
                bar.update(task, completed=done, total=total, description=printable(student)[:30].replace("[", "("))

            report = run(lab, submissions, out, options, say=bar.console.print, progress=show)
        typer.echo(f"{report.graded} graded, {report.kept} already were, in {report.seconds['all']:.1f} s")
        again = f", {out / 'changes.csv'}" if report.again else ""
        typer.echo(
            f"{out / 'grades.csv'}, {out / 'results.jsonl'}, {out / 'feedback'}/, {out / 'similarity.csv'}{again}"
        )
