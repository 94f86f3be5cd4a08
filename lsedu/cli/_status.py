"""Exit statuses: one table for all commands, and the one place where an error becomes a line."""

import errno
import os
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from lsedu._errors import CheckFailedError, LseduError

DONE = 0
"""What was asked for is done."""
NO = 1
"""A check was asked for, and it said no: a record differs, a release is stale, a lab fails its gate."""
NOT_DONE = 2
"""It cannot be done as asked, and a line says why: a wrong option, a file that is not there, no network, no sandbox."""
FAULT = 70
"""An error that lsedu did not foresee, with its traceback (EX_SOFTWARE of sysexits.h)."""
INTERRUPTED = 130
"""Ctrl-C; what was finished is kept."""

FORESEEN = (LseduError, ValueError, OSError)
"""Our own errors, wrong arguments of our functions, and what the machine refuses: said in a line, without traceback."""


def of(error: BaseException) -> int:
    """Return the exit status that a foreseen error stands for."""
    return NO if isinstance(error, CheckFailedError) else NOT_DONE


def say(command: str | None, error: BaseException | str) -> None:
    """Say in a line what is wrong; with LSEDU_TRACEBACK set, where it happened too."""
    if os.environ.get("LSEDU_TRACEBACK") and isinstance(error, BaseException):
        traceback.print_exception(error)
    typer.echo(f"lsedu {command}: {error}", err=True)


class Commands(TyperGroup):
    """The commands, with their errors turned into a line and a status of the table above."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except FORESEEN as error:
            if getattr(error, "errno", None) == errno.EPIPE:  # whoever read our output has enough; click ends quietly
                raise
            say(ctx.invoked_subcommand, error)
            raise typer.Exit(of(error)) from None
        except KeyboardInterrupt:
            say(ctx.invoked_subcommand, "interrupted; the same command goes on from what is finished")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            if hasattr(error, "exit_code") or isinstance(error, typer.Abort):  # click's own, usage errors among them
                raise
            traceback.print_exception(error)
            say(ctx.invoked_subcommand, "this is a fault of lsedu, please report it with the lines above")
            raise typer.Exit(FAULT) from None
