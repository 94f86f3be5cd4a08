"""`python -m lsedu`: the command, by the Python it belongs to, wherever that one keeps its programs."""

from lsedu.cli import app

app(prog_name="lsedu")
