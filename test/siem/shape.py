# SPDX-License-Identifier: BSD-2-Clause
"""What the checkers of the formats share: walking through JSON, and one type for each path."""


def leaves(value, path=""):
    """(path, value) of everything that is no object; a list is one leaf."""
    if not isinstance(value, dict):
        yield path, value
        return
    for key, item in value.items():
        yield from leaves(item, path + "." + key if path else key)


def at(value, path):
    """What stands at a dotted path, or None."""
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


class Types:
    """An index gives a field one type for good: the paths that had two."""

    def __init__(self):
        self.seen = {}

    def note(self, path, value):
        items = value if isinstance(value, list) else [value]
        for item in items:
            kind = "number" if type(item) in (int, float) else type(item).__name__
            self.seen.setdefault(path, set()).add(kind)

    def conflicts(self):
        wrong = ["%s: has the types %s" % (path, sorted(kinds))
                 for path, kinds in self.seen.items() if len(kinds) > 1]
        return wrong + ["%s: a value and an object" % path for path in self.seen
                        if any(other.startswith(path + ".") for other in self.seen)]


def same(line, table, event):
    """
    A line against the native event: rows of a path in the line, and a path in the event or a
    function of it. What the event does not have must not be in the line either.
    """
    problems = []
    for path, source in table.items():
        want = source(event) if callable(source) else at(event, source)
        got = at(line, path)
        if want != got:
            problems.append("%s: %r, the event of %s has %r" % (path, got, event["uid"], want))
    return problems
