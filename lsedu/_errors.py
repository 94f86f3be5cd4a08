"""The errors of lsedu: one base, so that one `except` tells what lsedu says from what went wrong inside it."""


class LseduError(Exception):
    """The base of every error class of lsedu; its message is a sentence for whoever called.

    Wrong arguments of functions are a plain ValueError, as everywhere in Python.
    """


class CheckFailedError(LseduError):
    """What was asked for was a check, and it said no; the message says what differs."""


class UnknownNameError(LseduError, KeyError):
    """There is nothing of that name; the message says what there is.

    Examples
    --------
    >>> print(UnknownNameError("no lab is called 'lab9'"))
    no lab is called 'lab9'
    """

    __str__ = Exception.__str__  # a KeyError would show its message in quotes
