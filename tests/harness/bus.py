"""A bus of this session's own with a polkit and a croftd on it: so that the tests of the command line can run over the bus
on a host whose own bus they must not touch (CROFT_OVER_BUS=1).

polkit is the real one. It reads its rules and actions from fixed places, so it gets a mount namespace in which these are
ours. croftd runs jobs as children here: there is no systemd on this bus (with it: tests/vm/test_bus_vm.py).
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
USER = "games"  # any user that is not root, with no files of its own
RULES = """polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.croft.Croft1.") == 0 && subject.user == "%s") return polkit.Result.YES;
});
""" % USER
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={place}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/> <allow receive_type="method_return"/>
    <allow receive_type="error"/> <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <policy user="polkitd"><allow own="org.freedesktop.PolicyKit1"/></policy>
  <policy user="root"><allow own="org.freedesktop.PolicyKit1"/></policy>
  <include>{root}/dbus/org.croft.Croft1.conf</include>
</busconfig>
"""


def wait_for_name(name, environment):
    for _ in range(200):
        listed = subprocess.run(["busctl", "--system", "status", name], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if listed.returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody has taken the name {name} on the bus of the tests")


@contextlib.contextmanager
def session_bus(croftd, rules=RULES):
    """Yields the words in front of `croft` that make it another user's, asking over the bus."""
    with contextlib.ExitStack() as stack:
        place = pathlib.Path(tempfile.mkdtemp(prefix="croft-bus-", dir="/var/tmp"))
        stack.callback(shutil.rmtree, place)
        place.chmod(0o755)
        (place / "rules").mkdir()
        (place / "rules/10-croft.rules").write_text(rules)
        (place / "actions").mkdir()
        shutil.copy(ROOT / "dbus/org.croft.Croft1.policy", place / "actions")
        (place / "bus.conf").write_text(CONFIGURATION.format(place=place, root=ROOT))
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={place}/bus"}

        def start(*words):
            child = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            stack.callback(child.wait)
            stack.callback(child.terminate)

        start("dbus-daemon", f"--config-file={place}/bus.conf", "--nofork", "--nopidfile")
        wait_for_name("org.freedesktop.DBus", environment)
        start("unshare", "--mount", "sh", "-c", f"mount --bind {place}/rules /etc/polkit-1/rules.d && "
              f"mount --bind {place}/actions /usr/share/polkit-1/actions && exec /usr/lib/polkit-1/polkitd --no-debug")
        wait_for_name("org.freedesktop.PolicyKit1", environment)
        start(croftd, "--idle=infinity")
        wait_for_name("org.croft.Croft1", environment)
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = environment["DBUS_SYSTEM_BUS_ADDRESS"]
        stack.callback(os.environ.pop, "DBUS_SYSTEM_BUS_ADDRESS")
        yield ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "env", f"HOME={place}"]
