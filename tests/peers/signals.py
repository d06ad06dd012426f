"""Says which signal came, and ends with a code of its own when it is SIGTERM."""

import os
import signal
import sys


def received(number, _frame):
    print(signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(42)


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, received)
print(f"ready {os.getpid()}", flush=True)
while True:
    signal.pause()
