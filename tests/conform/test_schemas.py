"""The shape of what croft-oci prints, as runtime-spec has it (schemas/ is written from its text)."""

import json
import pathlib

import jsonschema
import pytest

SCHEMAS = pathlib.Path(__file__).resolve().parent / "schemas"


def check(document, name):
    jsonschema.validate(document, json.loads((SCHEMAS / f"{name}.json").read_text()))


def test_states(oci, bundle, new_id):
    name = new_id()
    oci.create(name, bundle("sleep", "600", change=lambda config: config.update(annotations={"a.b": "c"})))
    seen = [oci.state(name)]
    for verb in ("start", "pause", "resume"):
        oci(verb, name).check()
        seen.append(oci.state(name))
    oci("kill", name, "KILL").check()
    oci.until(name, "stopped")
    seen.append(oci.state(name))
    assert [state["status"] for state in seen] == ["created", "running", "paused", "running", "stopped"]
    for state in seen + json.loads(oci("list", "--format", "json").stdout):
        check(state, "state")


def test_the_state_that_hooks_read(oci, bundle, new_id, scratch):
    hook = {"path": "/bin/sh", "args": ["sh", "-c", f"cat >{scratch}/$0; echo >>{scratch}/$0"]}
    kinds = ("createRuntime", "createContainer", "poststart", "poststop")
    hooks = {kind: [{**hook, "args": [*hook["args"], kind]}] for kind in kinds}
    oci("run", new_id(), bundle=bundle("true", change=lambda config: config.update(hooks=hooks))).check()
    for kind in kinds:
        check(json.loads((scratch / kind).read_text()), "state")


def test_features(oci):
    check(json.loads(oci("features").check().stdout), "features")


@pytest.mark.parametrize("wrong", [{}, {"ociVersion": "1.0.0", "id": "a", "status": "asleep", "bundle": "/b"},
                                   {"ociVersion": "1.0.0", "id": "a", "status": "running", "pid": 0, "bundle": "/b"}])
def test_the_schema_refuses(wrong):
    with pytest.raises(jsonschema.ValidationError):
        check(wrong, "state")
