"""Jobs for tests of the child processes; loaded by the children only."""

import os
import sys
import time


def echo(payload, send):
    send("first")
    send("second")
    return payload


def pid(_payload, _send):
    return os.getpid()


def hang(_payload, send):
    send(os.getpid())
    while True:
        time.sleep(0.05)


def die(_payload, _send):
    sys.stderr.write("out of luck\n")
    sys.stderr.flush()
    os._exit(7)


def fail(_payload, _send):
    raise ValueError("no such thing")


def shout(payload, _send):
    print("this goes to standard output")
    os.write(1, b"and so does this\n")
    return payload


def stop():
    os._exit(0)
