"""What a part found, and how much it looked at."""

import collections
import threading


class Findings:
    """Counts what was checked and keeps what was wrong."""

    def __init__(self, part):
        self.part, self.wrong, self.notes, self.counts = part, [], [], collections.Counter()
        self.lock = threading.Lock()

    def checked(self, what, count=1):
        with self.lock:
            self.counts[what] += count

    def note(self, line):
        """What is no finding and should be seen all the same."""
        self.notes.append(line)

    def expect(self, holds, wrong):
        """Counts a check; `wrong` is told when it does not hold."""
        self.checked("checks")
        if not holds:
            self.wrong.append(wrong() if callable(wrong) else wrong)
        return holds

    def verify(self, platform, when):
        """`backend verify` finds nothing."""
        for line in platform.verify():
            self.wrong.append(f"verify {when}: {line}")
        self.checked("runs of verify")

    def summary(self):
        return ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
