#include "manager/disk_devices.h"

#include <unistd.h>

#include <cstdlib>

#include "base/fd.h"
#include "base/run_program.h"
#include "base/text.h"
#include "kernel/loop.h"

namespace croft::manager {
namespace {

constexpr std::string_view prefix = "croft-";
constexpr std::string_view passphrase_credential = "dissect.passphrase";
constexpr size_t most_passphrase = 8192;  // cryptsetup's own limit for a passphrase

// A loop device, and its path.
struct Loop {
    Fd fd;
    std::string path;
};
Result<Loop> attach(const std::string& image, uint64_t offset, uint64_t size, bool read_only) {
    Fd file = TRY(open_at(AT_FDCWD, image.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_NOCTTY));
    long device = kernel::raw_attach_loop(file.get(), {offset, size, read_only}, image.c_str());
    if (device < 0) return os_error(static_cast<int>(-device), cat("attaching ", quoted(image), " to a loop device"));
    Loop out{Fd(static_cast<int>(device)), ""};
    long number = kernel::raw_loop_number(out.fd.get());
    if (number < 0) return os_error(static_cast<int>(-number), "asking for the loop device's number");
    out.path = cat("/dev/loop", number);
    return out;
}

// Without the newline that an editor put there.
std::string passphrase() {
    const char* directory = getenv("CREDENTIALS_DIRECTORY");
    if (!directory) return "";
    auto text = read_file_at(AT_FDCWD, cat(directory, "/", passphrase_credential).c_str(), most_passphrase);
    if (!text) return "";
    if (text->ends_with('\n')) text->pop_back();
    return *text;
}

Result<> open_luks(const DiskDevice& device, const std::string& data) {
    std::string secret = passphrase();
    if (secret.empty() && !isatty(0))
        return error(Errc::denied, cat("it is encrypted, and there is neither a terminal to ask for the passphrase nor the "
                                       "credential ", passphrase_credential, " (systemd-run -p LoadCredential=…)"));
    std::vector<std::string> argv = {"cryptsetup", "open", "--type", "luks"};
    if (device.read_only) argv.emplace_back("--readonly");
    if (!secret.empty()) argv.insert(argv.end(), {"--key-file", "-"});
    argv.insert(argv.end(), {data, device.name});
    return run_tool(argv, {.input = secret, .asks = secret.empty()}, "cryptsetup", "unlocking it");
}

Result<> open_verity(const DiskDevice& device, const std::string& data) {
    Loop hashes = TRY(attach(device.hash_image, device.hash_offset, device.hash_size, true));
    return run_tool({"veritysetup", "open", data, device.name, hashes.path, device.root_hash}, {}, "cryptsetup",
                "checking it by its root hash");
}

bool is_croft_device(std::string_view name) {
    return name.starts_with(prefix) && name.size() < 128 && name.find('/') == name.npos;
}

}  // namespace

std::string device_path(const DiskDevice& device) {
    return cat("/dev/mapper/", device.name);
}

std::string to_text(const DiskDevice& d) {
    std::string out = cat(d.name, "\t", d.kind == DiskDevice::Kind::luks ? "luks" : "verity", "\t", d.image, "\t", d.offset, "\t",
                          d.size, "\t", d.read_only ? "ro" : "rw");
    if (d.kind == DiskDevice::Kind::verity)
        out += cat("\t", d.hash_image, "\t", d.hash_offset, "\t", d.hash_size, "\t", d.root_hash);
    return out;
}

Result<DiskDevice> parse_disk_device(std::string_view text) {
    Error wrong = error(Errc::invalid, cat(quoted(text), " is no device of a disk image"));
    std::vector<std::string> f = split(text, '\t');
    if (f.size() != 6 && f.size() != 10) return wrong;
    DiskDevice out;
    auto offset = parse_uint(f[3]), size = parse_uint(f[4]);
    bool verity = f[1] == "verity";
    if (!is_croft_device(f[0]) || (!verity && f[1] != "luks") || verity != (f.size() == 10) || !offset || !size ||
        !f[2].starts_with('/') || (f[5] != "ro" && f[5] != "rw"))
        return wrong;
    out.name = f[0], out.image = f[2], out.offset = *offset, out.size = *size, out.read_only = f[5] == "ro";
    if (!verity) return out;
    auto hash_offset = parse_uint(f[7]), hash_size = parse_uint(f[8]);
    if (!hash_offset || !hash_size || !f[6].starts_with('/')) return wrong;
    out.kind = DiskDevice::Kind::verity, out.hash_image = f[6];
    out.hash_offset = *hash_offset, out.hash_size = *hash_size, out.root_hash = f[9];
    return out;
}

Result<> open_device(const DiskDevice& device) {
    bool verity = device.kind == DiskDevice::Kind::verity;
    // The device mapper keeps the loop device from here on.
    Loop data = TRY(attach(device.image, device.offset, device.size, device.read_only || verity));
    return verity ? open_verity(device, data.path) : open_luks(device, data.path);
}

Result<> close_device(const DiskDevice& device) {
    if (!is_croft_device(device.name) || access(device_path(device).c_str(), F_OK) < 0) return {};
    const char* tool = device.kind == DiskDevice::Kind::verity ? "veritysetup" : "cryptsetup";
    return run_tool({tool, "close", "--deferred", device.name}, {}, "cryptsetup", cat("removing the device ", device.name));
}

}  // namespace croft::manager
