// A directory of the test's own, which is gone with the test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "base/text.h"

namespace croft {

class InTemporaryDirectory : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/croft-test-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        top_ = name;
    }
    void TearDown() override { ASSERT_EQ(system(cat("rm -rf '", top_, "'").c_str()), 0); }
    bool exists(const std::string& path) const { return access((top_ + "/" + path).c_str(), F_OK) == 0; }

    std::string top_;
};

}  // namespace croft
