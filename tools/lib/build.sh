# The two builds: `build/` (release, static: what is used and what integration tests run) and `build-san/` (with
# AddressSanitizer and UndefinedBehaviorSanitizer: what unit tests run). Sourced by bash after say.sh and cache.sh.
# shellcheck shell=bash

root=${root:?the tool sets root to the checkout}

# Compilers' output is kept across checkouts; a path of this checkout must not make it another file.
build_environment() {
  # What a file includes is taken from the compiler's own list: to ask the preprocessor first would take a fifth more time.
  export CCACHE_DIR=${CCACHE_DIR:-$cache_dir/ccache} CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
  [[ ${CXX:-} ]] || ! command -v ccache >/dev/null || export CXX="ccache g++"
}

# build_setup DIR OPTION…: a configured build directory; one that another version of meson made is made anew.
build_setup() {
  local dir=$1
  shift
  if [[ -e $dir/build.ninja ]] && meson configure "$dir" >/dev/null 2>&1; then return 0; fi
  rm -rf "$dir"
  meson setup "$dir" "$root" "$@"
}

# The files below a folder of build/ that meson makes by default. Unit tests and fuzzers are not among them where all
# are asked for: they are built where they run.
build_targets() { # FOLDER
  meson introspect --targets "$root/build" | /usr/bin/python3 -c '
import json, os, sys
build, folder = sys.argv[1:]
for target in json.load(sys.stdin):
    for name in target["filename"] if target["build_by_default"] else []:
        path = os.path.relpath(name, build)
        if path.startswith(folder) and not path.startswith(("tests/unit/", "tests/fuzz/")):
            print(path)' "$root/build" "$1"
}

# build_release [FOLDER]: everything, or only what is below that folder and what it needs.
build_release() {
  build_environment
  build_setup "$root/build" --buildtype=release
  # The rules may have changed since: ninja brings build.ninja up to date before the targets are read.
  ninja -C "$root/build" build.ninja
  mapfile -t targets < <(build_targets "${1:-}")
  ninja -C "$root/build" "${targets[@]}"
}

# build_tests NAME…: unit tests of the release build. quickstart may have configured it when GoogleTest was not there yet;
# configuring again looks once more for what was missing.
build_tests() {
  build_environment
  local name targets=()
  [[ $(meson introspect --targets "$root/build") == *"tests/unit/$1/"* ]] || meson setup --reconfigure "$root/build" "$root"
  for name; do targets+=("tests/unit/$name/test-$name"); done
  ninja -C "$root/build" "${targets[@]}"
}

# Not optimized, and with no more debugging information than a stack trace needs: together they take g++ 13 times as long.
build_sanitized() {
  build_environment
  build_setup "$root/build-san" --buildtype=debug -Doptimization=0 -Ddebug=false -Dcpp_args=-g1 -Db_sanitize=address,undefined -Db_lundef=false
  ninja -C "$root/build-san"
}

# What root made in somebody's checkout belongs to that somebody, so that they can build without root afterwards.
build_give_back() {
  local owner
  owner=$(stat -c %u:%g "$root")
  [[ $owner == 0:0 ]] || chown -R "$owner" "$@"
}
