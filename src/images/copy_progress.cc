#include "images/copy_progress.h"

#include <time.h>

#include "base/text.h"

namespace croft::images {

namespace {
constexpr uint64_t second = 1'000'000;

uint64_t now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * second + static_cast<uint64_t>(time.tv_nsec) / 1000;
}
}  // namespace

void CopyProgressLine::begin(uint64_t bytes, size_t blobs) {
    std::lock_guard lock(mutex_);
    total_ = bytes, blobs_ = blobs, begun_ = now();
    show();
}

void CopyProgressLine::moved(uint64_t bytes) {
    std::lock_guard lock(mutex_);
    moved_ += bytes;
    // Ten times a second is as fast as anybody reads.
    if (now() - shown_ >= second / 10) show();
}

void CopyProgressLine::spared(uint64_t bytes) {
    std::lock_guard lock(mutex_);
    spared_ += bytes;
}

void CopyProgressLine::blob_done() {
    std::lock_guard lock(mutex_);
    ++done_;
    show();
}

void CopyProgressLine::show() {
    shown_ = now();
    uint64_t spent = shown_ - begun_, there = moved_ + spared_, left = total_ > there ? total_ - there : 0;
    std::string text = cat(what_, ": ", blobs_ ? cat(done_, "/", blobs_, " blobs, ") : "", human_size(there),
                           total_ ? cat(" of ", human_size(total_)) : "");
    if (spent > second && moved_) {
        uint64_t rate = moved_ * second / spent;
        text += cat(", ", human_size(rate), "/s");
        // Whole seconds: more would only flicker.
        if (left && rate) text += cat(", ", human_duration(left / rate * second + second), " left");
    }
    line_.show(text);
}

}  // namespace croft::images
