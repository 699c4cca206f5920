// How far a copy is, as one changing line on a terminal: bytes, rate, and the time that is left.
#pragma once

#include <mutex>
#include <string>

#include "cli/output.h"
#include "registry/copy.h"

namespace croft::images {

class CopyProgressLine : public registry::CopyProgress {
  public:
    explicit CopyProgressLine(std::string what) : what_(std::move(what)) {}
    // Of one file `blobs` is 0, and `bytes` too where nobody knows them.
    void begin(uint64_t bytes, size_t blobs) override;
    void moved(uint64_t bytes) override;
    void spared(uint64_t bytes) override;
    void blob_done() override;
    // Wipes the line.
    void end() { line_.clear(); }

  private:
    void show();

    std::string what_;
    std::mutex mutex_;
    cli::Progress line_;
    uint64_t total_ = 0, moved_ = 0, spared_ = 0, begun_ = 0, shown_ = 0;
    size_t blobs_ = 0, done_ = 0;
};

}  // namespace croft::images
