#!/usr/bin/python3
"""Counts tests: count.py TOTALS STATUS REPORT…

Each REPORT is a JUnit file (pytest's, or meson's, which holds each gtest case) or meson's testlog.json. Adds one line
"passed failed skipped" to TOTALS, and prints what failed and why what was skipped was skipped. STATUS is the runner's
own exit status: a runner that failed counts as a failed test even when no test of its report did, because a program
that crashed, hung or was stopped by a sanitizer at its end leaves a report that looks well, or none.
"""

import collections
import json
import os
import sys
import xml.etree.ElementTree as xml

totals, status, *reports = sys.argv[1:]
passed = failed = skipped = 0
bad_programs = set()
reasons = collections.Counter()


def first_line(skip):
    """Why: gtest puts the place in the file before what the test says."""
    lines = ((skip.get("message") if skip is not None else "") or "no reason given").strip().splitlines()
    return lines[1] if len(lines) > 1 and lines[0].rpartition(":")[2].isdigit() else lines[0]


for report in sorted(reports):  # meson's .json before its .xml
    if not os.path.exists(report):
        continue
    if report.endswith(".json"):
        for line in open(report):
            test = json.loads(line)
            if test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL"):
                bad_programs.add(test["name"].split(":")[-1])
                print(f"   {test['result']}: {test['name']} (exit status {test['returncode']})", file=sys.stderr)
        continue
    for case in xml.parse(report).getroot().iter("testcase"):
        # meson writes <skipped/> for a skip of a whole program; gtest also marks the case.
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            print(f"   failed: {case.get('classname')}.{case.get('name')}", file=sys.stderr)
        elif skip is not None or case.get("result") == "skipped":
            skipped += 1
            reasons[first_line(skip)] += 1
        elif case.get("status") != "notrun" and case.get("name").split(":")[-1] not in bad_programs:
            passed += 1

failed = max(failed, len(bad_programs))
if status not in ("0", "5") and failed == 0:  # 5: pytest found no test
    failed = 1
    print(f"   failed: the test runner ended with exit status {status}", file=sys.stderr)
for reason, count in reasons.most_common():
    print(f"   skipped {count}: {reason}", file=sys.stderr)
print(f"   {passed} passed, {failed} failed, {skipped} skipped", file=sys.stderr)
with open(totals, "a") as out:
    print(passed, failed, skipped, file=out)
