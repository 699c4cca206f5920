// An image's configuration: what its layers are and how a process in it is meant to be started (image-spec, config.md;
// Docker's container configuration, which has the health check and the shell beside). A value; what croft makes of it
// stands in images/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/digest.h"
#include "image/platform.h"

namespace croft::image {

struct HealthCheck {
    std::vector<std::string> test;  // {"NONE"}, {"CMD", …} or {"CMD-SHELL", line}
    // Nanoseconds as Docker writes them; 0: the default of who performs it.
    uint64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;
    uint64_t retries = 0;
};

struct ImageProcess {
    std::vector<std::string> entrypoint, command, environment;
    std::string user, working_directory, stop_signal;
    std::vector<std::string> volumes, exposed_ports;  // sorted
    std::map<std::string, std::string> labels;
    std::vector<std::string> shell, on_build;
    std::optional<HealthCheck> health;
    bool args_escaped = false;
};

struct History {
    std::string created, created_by, author, comment;
    bool empty_layer = false;
};

struct Config {
    std::string created, author;  // RFC 3339; ""
    Platform platform;
    ImageProcess process;
    std::vector<Digest> diff_ids;  // bottom first; of the uncompressed layers
    std::vector<History> history;
};

// At most largest_config bytes (manifest.h). Members that are not known are ignored, as the specification has it.
Result<Config> parse_config(std::string_view bytes);
std::string config_json(const Config& config);

}  // namespace croft::image
