"""The stand-in of a forked kernel: what is started for it, and ends with it.

It asks a nursery at the address given for a fork with its own arguments, folder and variables. Whoever kills it kills
the kernel, as the line between them breaks; who interrupts it interrupts the kernel. It runs by itself, without lsedu.
"""

import json
import os
import signal
import socket
import sys


def _main() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.connect(sys.argv[1])
        signal.signal(signal.SIGINT, lambda *_: line.send(b"interrupt"))
        line.send(json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]).encode())
        line.recv(1)  # nothing comes: this ends with the line


if __name__ == "__main__":
    _main()
