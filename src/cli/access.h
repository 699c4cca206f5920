// Who may use a verb on the system's machines: each verb belongs to one class of access, and croftd asks
// polkit for the action of that name. Called by the command line (which verbs go over the bus) and by bus/
// (which action is asked).
//
// The security argument: a verb that names paths of this host (run, cp, bind …) or keeps what it is told for
// later starts can give its user everything root has, so its class is never one that is handed out for a
// single machine lightly. A verb without a row cannot be used over the bus at all.
//
// Of images the same rule has three classes: to look at the store; to change what is in it, from registries and from what
// the caller itself hands over (standard input); and whatever names a file of this host or writes to a registry with this
// host's logins. Which of the latter two a request is, its words decide (bus/image_words.h).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace croft::cli {

enum class Access : unsigned char {
    local,  // asks nothing of a machine: done by the command line itself
    view,
    logs,
    start,
    stop,
    pause,
    kill,
    login,
    copy,
    bind,
    run,
    define,
    remove,
    snapshot,
    image_view,
    image_manage,
    image_transfer,
    repair,
};

// Which of a verb's operands are names of machines.
// copy: one of two is NAME:PATH; every: without a name it is about all machines.
//
// Or of images. image: the first; images: all, and without one it is about all images; renamed: an image, then a new name;
// source: a place, then the name that the store gives to what comes from there; target: an image, then a place; places: all
// are places; committed: a machine, then a new name.
enum class Named : unsigned char {
    none,
    first,
    all,
    copy,
    every,
    image,
    images,
    renamed,
    source,
    target,
    places,
    committed,
};

struct AccessRow {
    const char* verb;
    Access access;
    Named named = Named::none;
};
std::span<const AccessRow> access_rows();
// Null: not over the bus.
const AccessRow* access_of(std::string_view verb);

// The class's word in the action's name: "stop" of org.croft.Croft1.stop.
const char* access_name(Access access);
// For the password dialog: "stop" in "Authentication is required to stop the machine …".
const char* access_phrase(Access access);
bool is_about_images(Access access);
// Whether the verb looks at relative paths of its caller.
bool names_host_paths(Access access);

}  // namespace croft::cli
