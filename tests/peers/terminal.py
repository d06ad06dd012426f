"""Runs a command on a terminal of 80 columns and 24 rows, sends it keys, and writes what the terminal got.

usage: terminal.py KEYS WORD... -- COMMAND...
Each WORD is waited for before the keys are sent. Ends with the command's exit code.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

keys, *rest = sys.argv[1:]
split = rest.index("--")
words, command = rest[:split], rest[split + 1 :]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execvp(command[0], command)
shown = b""
sent = False
while True:
    if not sent and all(word.encode() in shown for word in words):
        os.write(terminal, keys.encode())
        sent = True
    try:
        read = os.read(terminal, 65536)
    except OSError:
        # Linux says so when the other side is closed.
        break
    if not read:
        break
    shown += read
os.write(1, shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
