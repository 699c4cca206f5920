"""What the guest program `probe` said from inside: JSON lines to objects."""

import json


class Said:
    """The lines of one or more probe commands, by their kind."""

    def __init__(self, text):
        self.lines = [json.loads(line) for line in text.splitlines() if line.startswith('{"what":')]

    def all(self, what):
        return [line for line in self.lines if line["what"] == what]

    def one(self, what):
        found = self.all(what)
        assert len(found) == 1, f"probe said {len(found)} lines of {what!r}: {found}"
        return found[0]

    def attempt(self, name):
        """How an attempt went: "done", the name of its errno, or "signal N"."""
        found = [line for line in self.all("try") if line["name"] == name]
        assert len(found) == 1, f"probe said {len(found)} lines about the attempt {name!r}"
        if found[0]["done"]:
            return "done"
        return f"signal {found[0]['signal']}" if found[0]["signal"] else found[0]["error"]

    def attempts(self):
        return {line["name"]: self.attempt(line["name"]) for line in self.all("try")}
