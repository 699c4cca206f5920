// What people write to name an image: text() of what is read is read as the same again.
#include "image/platform.h"
#include "image/reference.h"
#include "property.h"

using croft::fuzz::promise;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view text = croft::fuzz::text_of(data, size);
    auto reference = croft::image::parse_reference(text);
    if (reference) {
        auto again = croft::image::parse_reference(reference->text());
        promise(again.has_value(), "what is written can be read", text);
        promise(*again == *reference, "what is written is the same reference", text);
    } else {
        promise(!reference.error().text.empty(), "an error says why", text);
    }
    (void)croft::image::parse_platform(text);
    return 0;
}
