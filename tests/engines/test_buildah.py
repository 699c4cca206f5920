"""buildah 1.28: its RUN steps in containers of the runtime (--isolation oci)."""

import pytest
from places import POLICY, Engine

IMAGE = "localhost/bb:1"


@pytest.fixture(scope="module")
def buildah(place):
    work = place.work / "buildah"
    prelude = f"""
cd {work}
buildah() {{ command buildah --root {work}/root --runroot /run/buildah-test --storage-driver overlay "$@"; }}
RUN="--runtime {place.runtime} --isolation oci --network none"
"""
    place.run(f"mkdir -p {work} /etc/containers; [ -e /etc/containers/policy.json ] || echo '{POLICY}' >/etc/containers/policy.json").check()
    engine = Engine(place, prelude)
    engine.ok(f"buildah pull -q docker-archive:{place.files}/bb.tar")
    yield engine
    engine("buildah rm -a; buildah rmi -a -f")


def test_a_containerfile_is_built(buildah):
    buildah.ok(f"""mkdir -p context; echo copied >context/file; cat >context/Containerfile <<'E'
FROM {IMAGE}
COPY file /file
ARG WHO=nobody
ENV GREETING=hello
RUN echo "$GREETING $WHO $(cat /file)" >/result && id -u >>/result
USER user
WORKDIR /home
RUN sh -c 'id -un; pwd' >/tmp/as-user
E
buildah bud $RUN --build-arg WHO=world -t localhost/built:1 context""")
    buildah.ok("buildah from --name look localhost/built:1")
    assert buildah.ok("m=$(buildah mount look); cat $m/result $m/tmp/as-user; buildah umount look >/dev/null") == "hello world copied\n0\nuser\n/home"
    buildah.ok("buildah rm look")


@pytest.mark.here
def test_a_step_that_fails_ends_the_build_with_its_status(buildah):
    ran = buildah(f"""mkdir -p broken; printf 'FROM {IMAGE}\\nRUN exit 42\\n' >broken/Containerfile; buildah bud $RUN -t localhost/broken:1 broken""")
    assert ran.status == 42, ran
    ran = buildah(f"""printf 'FROM {IMAGE}\\nRUN ["/no/such"]\\n' >broken/Containerfile; buildah bud $RUN -t localhost/broken:1 broken""")
    assert ran.status != 0 and ("no such file" in ran.stderr.lower() or "not found" in ran.stderr), ran


@pytest.mark.here
def test_run_in_a_working_container(buildah):
    buildah.ok(f"buildah from --name work {IMAGE}")
    assert buildah.ok("buildah run $RUN -e A=b work sh -c 'echo $A $BB'") == "b from-image"
    assert buildah("buildah run $RUN work sh -c 'exit 5'").status == 5
    assert buildah.ok("echo fed | buildah run $RUN work cat") == "fed"
    assert buildah.ok("mkdir -p vol; echo seen >vol/f; buildah run $RUN -v $PWD/vol:/vol:ro work sh -c 'cat /vol/f; touch /vol/x 2>/dev/null || echo refused'") == "seen\nrefused"
    assert "CapEff:\t0000000000000000" in buildah.ok("buildah run $RUN --cap-drop all work cat /proc/self/status")
    assert "/dev/" in buildah.ok("""script -qec "$(declare -f buildah); buildah run $RUN -t work tty" /dev/null </dev/null""")
    buildah.ok("buildah rm work")
