#include "manager/leftovers.h"

#include <dirent.h>
#include <unistd.h>

#include <functional>
#include <set>

#include "base/text.h"
#include "base/lock_file.h"
#include "manager/machines.h"
#include "manager/remains.h"
#include "base/remove_tree.h"

namespace croft::manager {
namespace {

using Entries = std::vector<std::pair<std::string, unsigned char>>;  // name, d_type

Entries entries_of(const std::string& path) {
    Entries out;
    DIR* dir = opendir(path.c_str());
    if (!dir) return out;
    while (dirent* entry = readdir(dir))
        if (entry->d_name[0] != '.') out.emplace_back(entry->d_name, entry->d_type);
    closedir(dir);
    return out;
}

class Search {
  public:
    Search(const Paths& paths, Repair repair) : paths_(paths), repair_(repair) {}

    void add(std::string topic, std::string text, const std::function<Result<>()>& fix) {
        Finding finding;
        finding.level = Finding::Level::problem;
        finding.topic = std::move(topic), finding.text = std::move(text);
        finding.advice = "croft doctor --repair";
        finding.repairable = true;
        if (repair_ == Repair::yes) {
            Result<> fixed = fix();
            finding.repaired = bool(fixed);
            if (!fixed) finding.advice = std::move(fixed).error().text;
        }
        findings.push_back(std::move(finding));
    }

    void lost_machines() {
        auto machines = list(paths_);
        if (!machines) return;
        for (const Machine& seen : *machines) {
            auto machine = find_settled(paths_, seen.name);
            if (!machine) continue;  // it has ended by itself
            if (machine->state != State::lost) {
                names_.insert(seen.name);
                continue;
            }
            add(cat("machine ", seen.name),
                "it was lost: its keeper was killed, and what it left is still there",
                [&] { return clear(paths_, *machine); });
        }
    }

    // A group that no machine of ours has. One that is being made this moment belongs to a claimed name
    // already.
    void cgroups(const std::string& base) {
        for (const auto& [name, type] : entries_of(base))
            if (type == DT_DIR && !has_machine(name))
                add("cgroup", cat(base, "/", name, " belongs to no machine"),
                    [&, path = cat(base, "/", name)] { return remove_cgroup(path); });
    }

    void scratch() {
        for (const auto& [name, type] : entries_of(paths_.scratch))
            if (!has_machine(name))
                add("throwaway files", cat(paths_.scratch, "/", name, " belongs to no machine"),
                    [&, path = cat(paths_.scratch, "/", name)] {
                        return remove_tree_at(AT_FDCWD, path.c_str());
                    });
    }

    void id_marks() {
        std::string directory = paths_.run + "/uids";
        for (const auto& [base, type] : entries_of(directory)) {
            char holder[128];
            std::string path = cat(directory, "/", base);
            ssize_t n = readlink(path.c_str(), holder, sizeof holder);
            if (n > 0 && has_machine(std::string(holder, static_cast<size_t>(n)))) continue;
            add("ids", cat("the range ", base, " is kept for a machine that is gone"), [path]() -> Result<> {
                return unlink(path.c_str()) == 0 ? Result<>()
                                                 : Result<>(os_error(errno, "removing the mark"));
            });
        }
    }

    // Lock files that nobody holds. An ended machine that is kept has them too: they go with the machine. Those of
    // systemd-nspawn's protocol may be another's than ours; who comes for one makes it again.
    void lock_files() {
        std::set<std::string> known;
        if (auto machines = list(paths_))
            for (const Machine& machine : *machines)
                known.insert(machine.record.locks.begin(), machine.record.locks.end());
        std::vector<std::string> directories = {paths_.run + "/trees"};
        if (paths_.system)
            directories.insert(directories.end(), {"/run/systemd/nspawn/locks", "/run/systemd/nspawn-uid"});
        for (const std::string& directory : directories)
            for (const auto& [name, type] : entries_of(directory))
                if (std::string path = cat(directory, "/", name); type == DT_REG && !known.contains(path))
                    lock_file(path);
    }

    std::vector<Finding> findings;

  private:
    void lock_file(const std::string& path) {
        Fd lock(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
        if (!lock || !lock_fd(lock.get(), LockKind::exclusive)) return;
        lock.reset();
        add("locks", cat(path, " belongs to no machine"), [path]() -> Result<> {
            remove_lock_file(path);
            return {};
        });
    }
    // Asked again at the moment of use: a machine may have been started since the list was made.
    bool has_machine(const std::string& name) const {
        if (names_.contains(name)) return true;
        auto machine = find(paths_, name);
        return machine && machine->state != State::lost;
    }

    const Paths& paths_;
    Repair repair_;
    std::set<std::string> names_;  // of machines that are there and not lost
};

}  // namespace

Result<std::vector<Finding>> find_leftovers(const Paths& paths, const spec::HostFacts& facts, Repair repair) {
    Search search(paths, repair);
    search.lost_machines();
    if (!facts.cgroup_root.empty()) search.cgroups(cat(facts.cgroup_root, "/", facts.cgroup_base));
    search.scratch();
    search.id_marks();
    search.lock_files();
    return std::move(search.findings);
}

}  // namespace croft::manager
