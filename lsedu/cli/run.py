"""`lsedu run`: regenerate or verify the record of an experiment."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this group to `app`."""
    app.command("run")(run)


def run(
    name: str = typer.Argument("", help="An experiment; see --list."),
    profile: str = typer.Option("smoke", help="smoke (seconds), cpu (minutes) or gpu."),
    seeds: int = typer.Option(0, help="How many seeds, from the profile's first; 0 for the profile's own."),
    device: str = typer.Option("cpu", help="Torch device."),
    jobs: int = typer.Option(0, help="Processes at once; 0 for one a core."),
    scheduler: str = typer.Option("", help="Address of a dask scheduler, tcp://host:8786, instead of processes."),
    save: bool = typer.Option(True, help="Write the record (smoke runs are never written)."),
    list_: bool = typer.Option(False, "--list", help="List the experiments."),
    verify: bool = typer.Option(False, "--verify", help="Recompute one seed of the record and compare."),
    tolerance: float = typer.Option(0.0, help="With --verify: largest difference that counts as none."),
) -> None:
    """Run an experiment and write its record, or verify the record that is there."""
    from lsedu import experiments

    if list_:
        for known in experiments.names():
            typer.echo(f"{known}: {experiments.get(known).claim}")
        return
    try:
        if verify:
            differing = experiments.verify(name, tolerance=tolerance)
            for key, (old, new) in differing.items():
                typer.echo(f"{name}: {key} is {old!r} in the record, {new!r} when recomputed", err=True)
            typer.echo(f"{name}: {'differs' if differing else 'verified'}")
            raise typer.Exit(1 if differing else 0)
        chosen = None
        if seeds:
            first = experiments.get(name).seeds[profile][0]
            chosen = range(first, first + seeds)
        record, arrays = experiments.run(
            name,
            profile=profile,
            seeds=chosen,
            device=device,
            jobs=jobs or experiments.default_jobs(),
            scheduler=scheduler,
            report=lambda line: typer.echo(line, err=True),
        )
    except (KeyError, ValueError, OSError, experiments.RecordError) as error:
        typer.echo(f"lsedu run: {error if isinstance(error, OSError) else error.args[0]}", err=True)
        raise typer.Exit(2) from None
    for contrast, found in record.contrasts.items():
        at = found["interval"]
        typer.echo(
            f"{contrast}: {found['verdict']} ({at['mean']:+.4f} [{at['low']:+.4f}, {at['high']:+.4f}], n={at['n']})"
        )
    if save and profile != "smoke":
        typer.echo(f"wrote {experiments.save_record(record, arrays)}")
