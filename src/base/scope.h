// Scope guard: runs a function at the end of a scope unless it was dismissed.
#pragma once

#include <utility>

namespace croft {

template <class F>
class [[nodiscard]] OnExit {
  public:
    explicit OnExit(F f) : f_(std::move(f)) {}
    OnExit(const OnExit&) = delete;
    OnExit& operator=(const OnExit&) = delete;
    ~OnExit() {
        if (armed_) f_();
    }
    void dismiss() { armed_ = false; }

  private:
    F f_;
    bool armed_ = true;
};

}  // namespace croft
