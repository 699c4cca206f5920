"""Looking at machines through croft, as tests do it."""

import json
import time


def shown(croft, name):
    """All that `croft show` tells of one machine."""
    return json.loads(croft("show", "--json", name).check().stdout)[0]


def state(croft, name):
    return shown(croft, name)["state"]


def until(condition, seconds=30):
    """Waits for something that comes by itself; False when it has not come by then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.03)
    return False
