#!/usr/bin/python3
"""Prints docs/dbus.md: from the contract in dbus/*.xml, and from croftd's tables (verbs and polkit actions, errors).

Usage: dbus_docs.py CROFTD. A comment in the XML belongs to what follows it; the one above <node> is the object's page.
"""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
OBJECTS = ("Manager", "Machine", "Image", "Job")

HEAD = """# croft on D-Bus

Made by `tools/generate` from `dbus/*.xml`; change those. The name is `org.croft.Croft1`, on the system bus (`croftd`, started by
the bus when it is wanted) and on each user's session bus (`croftd --user`).

```
busctl introspect org.croft.Croft1 /org/croft/Croft1
busctl call org.croft.Croft1 /org/croft/Croft1 org.croft.Croft1.Manager Stop 'sa{sv}' web 1 timeout s 10s
```
"""


RULES = """polkit.addRule(function(action, subject) {
    var what = action.id.replace("org.croft.Croft1.", "");
    if (what == "image-view" && (subject.user == "alice" || subject.user == "bob")) return polkit.Result.YES;
    if (what == "image-manage" && subject.user == "alice" && action.lookup("verb") == "image pull" &&
        (action.lookup("source") || "").indexOf("docker://registry.example/team/") == 0) return polkit.Result.YES;
});
"""


def text_of(comment):
    """A comment as paragraphs, each on one line."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", comment.strip()))


def signature(member):
    ins = [f"{arg.get('type')} {arg.get('name')}" for arg in member.iter("arg") if arg.get("direction") != "out"]
    outs = [f"{arg.get('type')} {arg.get('name')}" for arg in member.iter("arg") if arg.get("direction") == "out"]
    return f"{member.get('name')}({', '.join(ins)})" + (f" → {', '.join(outs)}" if outs else "")


def property_line(member):
    emits = [note.get("value") for note in member.iter("annotation")]
    how = {"const": ", never changes", "false": ", live, no signal"}.get(emits[0], "") if emits else ""
    return f"{member.get('type')} {member.get('name')}{how}"


def page(name):
    text = (ROOT / f"dbus/org.croft.Croft1.{name}.xml").read_text()
    about = re.search(r"<!--(.*?)-->", text, re.S).group(1)
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    interface = ElementTree.fromstring(text, parser).find("interface")
    out, comment = [f"## org.croft.Croft1.{name}", text_of(about)], ""
    headings = {"method": "### Methods", "signal": "### Signals", "property": "### Properties"}
    for member in interface:
        if member.tag is ElementTree.Comment:
            comment = text_of(member.text)
            continue
        if heading := headings.pop(member.tag, None):
            out.append(heading)
        line = property_line(member) if member.tag == "property" else signature(member)
        out.append(f"**`{line}`** — {comment}")
        comment = ""
    return out


def main():
    tables = subprocess.run([sys.argv[1], "--tables"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    verbs, errors = tables.split("\n\n")
    parts = [HEAD.strip()]
    for name in OBJECTS:
        parts += page(name)
    parts += ["## Who may what", "Each verb of the command line, and each method that has its name, needs an action of polkit. The details `machine` (a "
              "name, `*` for all), `verb` and `user` say what for, so that a rule can allow one user one thing with one machine. Root "
              "is not asked.",
              "About images the details are `image` (a whole name as `croft image list` has it, whatever word the caller had for it; `*` for all) "
              "and `source` (where one comes from: `docker://registry.example/team/web:1`, or `-` for what the caller hands over). Who may not "
              "look at an image can do nothing with it. `image inspect`, `import` and `export` need more than the table says when their words "
              "reach further: a registry needs `image-manage`; a file, a directory, any option that names one and `--tls-verify` need "
              "`image-transfer`, which is as good as root, since jobs read and write as root. So let people hand over archives instead: "
              "`croft --system image import - NAME <FILE`. Pulls use the logins that this host has. Rules that let alice manage what comes "
              "from one place, and bob look:",
              "```\n" + RULES + "```", verbs, "## Errors", errors]
    print("\n\n".join(parts))


main()
