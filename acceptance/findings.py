"""What a part found, and how much it looked at."""

import collections


class Findings:
    """Counts what was checked and keeps what was wrong."""

    def __init__(self, part):
        self.part, self.wrong, self.notes, self.counts = part, [], [], collections.Counter()

    def checked(self, what, count=1):
        self.counts[what] += count

    def note(self, line):
        """What is no finding and should be seen all the same."""
        self.notes.append(line)

    def expect(self, holds, wrong):
        """Counts a check; `wrong` is told when it does not hold."""
        self.counts["checks"] += 1
        if not holds:
            self.wrong.append(wrong() if callable(wrong) else wrong)
        return holds

    def verify(self, platform, when):
        """`backend verify` finds nothing."""
        for line in platform.verify():
            self.wrong.append(f"verify {when}: {line}")
        self.counts["runs of verify"] += 1

    def summary(self):
        return ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
