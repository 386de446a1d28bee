"""The other end of `python-link.ts`: a JSON text a line in each direction, one answer for each message."""
import json
import os
import signal
import sys
import traceback


class Parent:
    """The process of the bench that has started this one. Nothing else is ever printed on standard output."""

    def __init__(self):
        self._output = os.fdopen(os.dup(sys.stdout.fileno()), "w")
        # What a library prints must not be taken for an answer.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def listen(self):
        """The next message. A parent that has gone away ends this process, with those that it has started."""
        line = sys.stdin.readline()
        if line == "":
            # The parent has given this process a group of its own.
            os.killpg(os.getpgrp(), signal.SIGKILL)
        return json.loads(line)

    def answer(self, value=None):
        self._write({"answer": value})

    def obeyed(self, act):
        """Answers with what an act does; its failure is an answer too."""
        try:
            value = act()
        except Exception:
            self._write({"failure": traceback.format_exc()})
        else:
            self.answer(value)

    def _write(self, reply):
        self._output.write(json.dumps(reply) + "\n")
        self._output.flush()
