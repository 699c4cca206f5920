#!/usr/bin/python3
"""Counts tests and says what failed, and why what was skipped was skipped; adds "passed failed skipped" to TOTALS.

    count.py pytest TOTALS STATUS REPORT.xml          pytest's JUnit report
    count.py meson  TOTALS STATUS testlog.json DIR    meson's log; DIR has gtest's reports (GTEST_OUTPUT=xml:DIR/)

STATUS is the runner's own exit status. A program or runner that failed counts as a failed test even when no test in
its report did: what crashed, hung, or was stopped by a sanitizer at its end leaves a report that looks well, or none.
"""

import collections
import json
import os
import sys
import xml.etree.ElementTree as xml


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.reasons = collections.Counter()

    def fail(self, what):
        self.failed += 1
        print(f"   failed: {what}", file=sys.stderr)

    def skip(self, reason):
        """gtest puts the place in the file before what the test says."""
        lines = (reason or "no reason given").strip().splitlines()
        self.skipped += 1
        self.reasons[lines[1] if len(lines) > 1 and lines[0].rpartition(":")[2].isdigit() else lines[0]] += 1

    def report(self, path):
        """A JUnit report's cases. pytest says <error> where a fixture failed; gtest lists disabled tests as not run."""
        for case in xml.parse(path).getroot().iter("testcase"):
            skip = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                self.fail(f"{case.get('classname')}.{case.get('name')}")
            elif skip is not None:
                self.skip(skip.get("message"))
            elif case.get("status") != "notrun":
                self.passed += 1

    def program(self, test, directory):
        """One program of meson's log: its gtest cases where it has such, else the program as one test."""
        before = self.failed
        report = os.path.join(directory, os.path.basename(test["command"][0]) + ".xml")
        good = test["result"] in ("OK", "EXPECTEDFAIL")
        if os.path.exists(report):
            self.report(report)
        elif test["result"] == "SKIP":
            self.skip(f"{test['name']}: " + (test.get("stdout") or test.get("stderr") or ""))
        elif good:
            self.passed += 1
        if not good and test["result"] != "SKIP" and self.failed == before:
            self.fail(f"{test['name']}: {test['result']}, exit status {test['returncode']}")


def main():
    runner, totals, status, report, *directory = sys.argv[1:]
    count = Count()
    if os.path.exists(report):
        if runner == "pytest":
            count.report(report)
        else:
            for line in open(report):
                count.program(json.loads(line), directory[0])
    nothing = runner == "pytest" and status == "5"  # pytest found no test
    if status != "0" and count.failed == 0 and not nothing:
        count.fail(f"the test runner itself, exit status {status}")
    for reason, number in count.reasons.most_common():
        print(f"   skipped {number}: {reason}", file=sys.stderr)
    print(f"   {count.passed} passed, {count.failed} failed, {count.skipped} skipped", file=sys.stderr)
    with open(totals, "a") as out:
        print(count.passed, count.failed, count.skipped, file=out)


main()
