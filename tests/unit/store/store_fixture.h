// A store of the test's own, with small images in it. Digests are made up: the store hashes nothing.
#pragma once

#include <sys/stat.h>
#include <sys/wait.h>

#include <functional>

#include "base/temporary_directory.h"
#include "format/json_writer.h"
#include "store/blobs.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/machine_roots.h"
#include "store/names.h"
#include "store/store.h"

namespace croft::store {

inline image::Digest digest(char digit) {
    return *image::Digest::parse("sha256:" + std::string(64, digit));
}

class StoreTest : public InTemporaryDirectory {
  protected:
    void SetUp() override {
        InTemporaryDirectory::SetUp();
        auto opened = Store::open(top_ + "/store");
        ASSERT_TRUE(opened) << opened.error().text;
        store_ = std::make_unique<Store>(std::move(*opened));
    }

    void add_layer(const std::string& id, const std::string& file) {
        auto writer = LayerWriter::begin(*store_, id);
        ASSERT_TRUE(writer && *writer);
        Fd tree = *(*writer)->tree();
        ASSERT_TRUE(replace_file_at(tree.get(), file.c_str(), "content of " + file));
        Result<> done = (*writer)->commit({.id = id, .archive_size = 10, .bytes = 5, .entries = 1});
        ASSERT_TRUE(done) << done.error().text;
    }
    // An image of one layer: config CONFIG, layer's blob BLOB, diff id DIFF.
    void add_image(const std::string& name, char manifest, char config, char blob, char diff) {
        auto text = [&](char d) { return digest(d).text(); };
        std::string config_bytes = cat(R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[")", text(diff),
                                       R"("]}})");
        std::string bytes = cat(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)",
                                R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":")", text(config), R"(","size":)",
                                config_bytes.size(), R"(},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":")",
                                text(blob), R"(","size":5}]})");
        ASSERT_TRUE(add_blob(*store_, digest(config), config_bytes));
        ASSERT_TRUE(add_blob(*store_, digest(blob), "layer"));
        ASSERT_TRUE(add_blob(*store_, digest(manifest), bytes));
        if (!*find_layer(*store_, text(diff))) add_layer(text(diff), std::string("file-") + diff);
        ASSERT_TRUE(put_reference(*store_, {.name = name, .manifest = digest(manifest), .top = {}, .source = "", .made = 7}));
    }
    // A file below the store, as a machine would write it.
    void write(const std::string& name) {
        Fd file = *open_at(store_->fd(), name.c_str(), O_WRONLY | O_CREAT, 0644);
        ASSERT_TRUE(write_all(file.get(), "written"));
    }
    static int in_child(const std::function<void()>& work) {
        pid_t child = fork();
        if (child == 0) {
            work();
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    std::unique_ptr<Store> store_;
};

}  // namespace croft::store
