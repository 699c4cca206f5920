#include "oci/feature_list.h"

#include "dialect/oci_words.h"
#include "format/json_writer.h"
#include "spec/name_tables.h"
#include "spec/seccomp_request.h"

namespace croft::oci {

namespace {
using format::JsonWriter;

template <class Words>
void list(JsonWriter& json, std::string_view name, const Words& words) {
    json.key(name).begin_array();
    for (const auto& word : words) json.value(word);
    json.end_array();
}

void enabled(JsonWriter& json, std::string_view name) {
    json.key(name).begin_object().member("enabled", true).end_object();
}

// cgroup v1 is never used, not even where it is what a host has: nothing there can be delegated safely.
void cgroup(JsonWriter& json) {
    json.key("cgroup").begin_object();
    json.member("v1", false).member("v2", true).member("systemd", true).member("systemdUser", true);
    json.member("rdma", true).end_object();
}

void seccomp(JsonWriter& json) {
    json.key("seccomp").begin_object().member("enabled", true);
    list(json, "actions", spec::seccomp_actions());
    list(json, "operators", spec::seccomp_operators());
    list(json, "archs", spec::seccomp_architectures());
    list(json, "knownFlags", spec::seccomp_flags());
    list(json, "supportedFlags", spec::seccomp_flags());
    json.end_object();
}

void linux_features(JsonWriter& json) {
    json.key("linux").begin_object();
    list(json, "namespaces", dialect::namespace_types);
    list(json, "capabilities", spec::capability_names());
    cgroup(json);
    seccomp(json);
    enabled(json, "apparmor");
    enabled(json, "selinux");
    json.key("intelRdt").begin_object();
    json.member("enabled", true).member("schemata", true).member("monitoring", true).end_object();
    json.key("memoryPolicy").begin_object();
    list(json, "modes", dialect::memory_policies);
    list(json, "flags", dialect::memory_policy_flags);
    json.end_object();
    json.key("mountExtensions").begin_object();
    enabled(json, "idmap");
    json.end_object();
    enabled(json, "netDevices");
    json.end_object();
}
}  // namespace

std::string features_document() {
    JsonWriter json;
    json.begin_object();
    json.member("ociVersionMin", dialect::oci_version_min).member("ociVersionMax", dialect::oci_version_max);
    list(json, "hooks", dialect::oci_hook_names());
    list(json, "mountOptions", dialect::oci_mount_options());
    linux_features(json);
    json.key("annotations").begin_object().member("org.croft.version", CROFT_VERSION).end_object();
    // No annotation changes what croft-oci does.
    json.key("potentiallyUnsafeConfigAnnotations").begin_array().end_array();
    json.end_object();
    return json.take();
}

}  // namespace croft::oci
