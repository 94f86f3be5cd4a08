"""`lsedu run`: regenerate or verify the record of an experiment, or of all."""

import sys
from collections.abc import Callable

import typer

from lsedu.cli import _status

ALL = "all"


def register(app: typer.Typer) -> None:
    """Add the commands of this group to `app`."""
    app.command("run")(run)


def run(
    name: str = typer.Argument("", help="An experiment, see --list; or `all`."),
    profile: str = typer.Option("smoke", help="smoke (seconds), cpu (minutes) or gpu."),
    seeds: str = typer.Option("", help="How many seeds, from the first, or which, as 200-204; all where left out."),
    device: str = typer.Option("cpu", help="Torch device."),
    jobs: int = typer.Option(0, min=0, help="Processes at once, a thread each; 0 for one a core, on a GPU for one."),
    scheduler: str = typer.Option("", help="Address of a dask scheduler, tcp://host:8786, instead of processes."),
    fresh: bool = typer.Option(False, "--fresh", help="Measure everything now; what was kept does not count."),
    save: bool = typer.Option(True, help="Write the record (smoke runs are never written)."),
    list_: bool = typer.Option(False, "--list", help="List the experiments."),
    verify: bool = typer.Option(
        False,
        "--verify",
        help="Recompute one seed of the record and compare; what differs also with the code that made the record.",
    ),
    stamp: bool = typer.Option(False, "--stamp", help="With --verify: write into the record that it was verified."),
    owed: int | None = typer.Option(
        None,
        min=0,
        help="With --verify, for `all`: at most so many, drawn by the commit, of the records whose code has changed "
        "since they were made or stamped; where there is none, one of the others.",
    ),
    replicate: bool = typer.Option(
        False, "--replicate", help="Measure with fresh seeds at the record's scale, and write it beside the record."
    ),
    plan: bool = typer.Option(
        False, "--plan", help="How many seeds each contrast would need, by the spread over the seeds that there are."
    ),
    conclude: bool = typer.Option(
        False, "--conclude", help="Draw the record's verdicts from its own results anew, and print what changed."
    ),
    tolerance: float = typer.Option(
        0.75,
        min=0.0,
        help="With --verify: by how much of its margin the seed may move the mean of a contrast; other results by a "
        "twentieth of this, relative to their size; and both by 4 times this in standard deviations over the seeds. 0 "
        "asks for the same bits, as on one and the same processor.",
    ),
) -> None:
    """Run an experiment and write its record, or verify the record that is there, or judge it anew."""
    from lsedu import experiments

    if list_:
        for known in experiments.names():
            typer.echo(f"{known}: {experiments.get(known).claim}")
        return
    if verify:
        chosen = recorded(device) if name == ALL else [name]
        chosen = _some_owed(chosen, owed) if owed is not None else chosen
        done = [_attempt(_verify, one, tolerance, device, scheduler, stamp) for one in chosen]
    elif replicate:
        chosen = recorded(device) if name == ALL else [name]
        done = [_attempt(_replicate, one, seeds, device, jobs, scheduler, fresh) for one in chosen]
    elif plan:
        chosen = recorded("") if name == ALL else [name]
        done = [_attempt(_plan, one) for one in chosen]
    elif conclude:
        chosen = recorded("") if name == ALL else [name]
        typer.echo(experiments.restating.HEAD)
        done = [_attempt(_conclude, one) for one in chosen]
    else:
        chosen = with_profile(profile) if name == ALL else [name]
        done = [_attempt(_run, one, profile, seeds, device, jobs, scheduler, fresh, save) for one in chosen]
    if name == ALL:
        failed = [one for one, status in zip(chosen, done) if status]
        typer.echo(
            f"all: {len(chosen) - len(failed)} of {len(chosen)} done" + "".join(f"; not {one}" for one in failed)
        )
    raise typer.Exit(max(done, default=0))


def recorded(device: str) -> list[str]:
    """Return the names of the experiments whose record can be verified here, after a word on those made on a GPU."""
    from lsedu import experiments

    chosen = []
    for name in experiments.names():
        if not (experiments.records_dir() / f"{name}.json").is_file():
            continue
        if device == "cpu" and experiments.load_record(name).profile == "gpu":
            typer.echo(f"{name}: its record was made on a GPU, passed over; --device cuda verifies it", err=True)
        else:
            chosen.append(name)
    return chosen


def with_profile(profile: str) -> list[str]:
    """Return the names of the experiments that have a profile, after a word on those that have not."""
    from lsedu import experiments

    chosen = [name for name in experiments.names() if profile in experiments.get(name).configs]
    for name in sorted(set(experiments.names()) - set(chosen)):
        typer.echo(f"{name}: no profile {profile!r}, passed over", err=True)
    return chosen


def _attempt(step: Callable[..., int], *words: object) -> int:
    """Do one step of a command and return its exit status, so that `all` goes on with the next one."""
    try:
        return step(*words)
    except _status.FORESEEN as error:
        _status.say("run", error)
        return _status.of(error)


def _some_owed(chosen: list[str], most: int) -> list[str]:
    """Return at most so many of the records whose verification is owed, or one of all, after a word on the owed.

    Those that need a download are left out.
    """
    from lsedu import data, experiments
    from lsedu.experiments.verification import drawn

    at_hand = [name for name in chosen if all(data.source(read).embedded for read in experiments.get(name).data)]
    waiting = [name for name in at_hand if experiments.owed(experiments.load_record(name))]
    typer.echo(f"all: {len(waiting)} of {len(chosen)} owed" + (f" ({', '.join(waiting)})" if waiting else ""))
    among, most = (waiting, most) if waiting else (at_hand, min(most, 1))
    first = drawn() % len(among) if among else 0
    return (among[first:] + among[:first])[:most]


def _seeds(told: str, own: tuple[int, ...]) -> list[int] | None:
    """Return the seeds that an option names, or None where it is left out.

    Raises
    ------
    ValueError
        If it is neither a number nor a range.
    """
    if not told:
        return None
    first, dash, last = told.partition("-")
    if not first.isdecimal() or (dash and not (last.isdecimal() and int(first) <= int(last))):
        raise ValueError(f"seeds must be how many, as 5, or which, as 200-204, got {told!r}")
    if dash:
        return list(range(int(first), int(last) + 1))
    return [own[0] + i for i in range(int(first))] if own and int(first) else None


def _replicate(name: str, seeds: str, device: str, jobs: int, scheduler: str, fresh: bool) -> int:
    from lsedu import experiments
    from lsedu.experiments.replicating import FRESH

    found, path = experiments.replicate(
        name,
        seeds=_seeds(seeds, (FRESH,)),
        device=device,
        jobs=jobs or experiments.default_jobs(device),
        scheduler=scheduler,
        fresh=fresh,
        report=lambda line: typer.echo(line, err=True),
    )
    before = experiments.load_record(name)
    for contrast in found.contrasts:
        typer.echo(f"{contrast}: {before.verdict(contrast)}, again {found.verdict(contrast)}")
    typer.echo(f"wrote {path}")
    return _status.DONE


def _verify(name: str, tolerance: float, device: str, scheduler: str, stamp: bool) -> int:
    from lsedu import experiments

    differing = experiments.verify(
        name,
        tolerance=tolerance,
        device=device,
        scheduler=scheduler,
        stamp=stamp,
        report=lambda line: typer.echo(line, err=True),
    )
    for key, (old, new) in differing.items():
        typer.echo(f"{name}: {key} is {old!r} in the record, {new!r} when recomputed", err=True)
    typer.echo(f"{name}: {'differs' if differing else 'verified'}")
    return _status.NO if differing else _status.DONE


def _plan(name: str) -> int:
    from lsedu import experiments
    from lsedu.experiments.planning import MOST, planned

    record = experiments.load_record(name)
    for contrast in record.contrasts:
        sd, margin = record.effect(contrast).sd, record.question(contrast).margin
        needs = [planned(effect=times * margin, sd=sd, margin=margin) if sd > 0 else 2 for times in (2.0, 0.0)]
        twice, none = (f"more than {MOST}" if n is None else str(n) for n in needs)
        typer.echo(
            f"{contrast}: spread {sd:.4g}, margin {margin:g}: n = {twice} to show an effect of twice the margin, "
            f"{none} to find none negligible, four times in five"
        )
    return _status.DONE


def _conclude(name: str) -> int:
    from lsedu import experiments

    for row in experiments.restate(name):
        typer.echo(row)
    return _status.DONE


def _run(name: str, profile: str, seeds: str, device: str, jobs: int, scheduler: str, fresh: bool, save: bool) -> int:
    from tqdm.auto import tqdm

    from lsedu import experiments

    own = experiments.get(name).seeds.get(profile, ())
    chosen = _seeds(seeds, own) or own
    with tqdm(total=len(chosen), desc=name, unit="seed", disable=None) as bar:

        def report(line: str) -> None:
            bar.write(line, file=sys.stderr)
            bar.update()

        record, arrays = experiments.run(
            name,
            profile=profile,
            seeds=chosen or None,
            device=device,
            jobs=jobs or experiments.default_jobs(device),
            scheduler=scheduler,
            fresh=fresh,
            report=report,
        )
    for contrast, found in record.contrasts.items():
        at, said = found["interval"], record.finding(contrast).replace("**", "")
        typer.echo(f"{contrast}: {said} ({at['mean']:+.4f} [{at['low']:+.4f}, {at['high']:+.4f}], n={at['n']})")
    if save and profile != "smoke":
        typer.echo(f"wrote {experiments.save_record(record, arrays)}")
    return _status.DONE
