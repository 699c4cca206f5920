#include "kernel/loop.h"

#include <linux/loop.h>

#include <cstring>

namespace croft::kernel {
namespace {

// Another process may take the device that was free a moment ago; more tries than this do not meet one more such process.
constexpr int most_tries = 64;

long open_device(long number, bool read_only) {
    char path[32] = "/dev/loop";
    char digits[20];
    size_t used = 9, count = 0;
    do {
        digits[count++] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number);
    while (count) path[used++] = digits[--count];
    path[used] = 0;
    return raw(SYS_openat, AT_FDCWD, arg(path), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
}

}  // namespace

long raw_attach_loop(long file, const LoopWindow& window, const char* name) {
    loop_config config = {};
    config.fd = static_cast<uint32_t>(file);
    config.info.lo_offset = window.offset, config.info.lo_sizelimit = window.size;
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (window.read_only ? LO_FLAGS_READ_ONLY : 0);
    for (size_t i = 0; name[i] && i + 1 < sizeof config.info.lo_file_name; ++i)
        config.info.lo_file_name[i] = static_cast<unsigned char>(name[i]);
    long control = raw(SYS_openat, AT_FDCWD, arg("/dev/loop-control"), O_RDWR | O_CLOEXEC);
    if (control < 0) return control;
    long device = -EBUSY;
    for (int tries = 0; device == -EBUSY && tries < most_tries; ++tries) {
        long number = raw(SYS_ioctl, control, LOOP_CTL_GET_FREE);
        device = number < 0 ? number : open_device(number, window.read_only);
        if (device < 0) break;
        if (long error = raw(SYS_ioctl, device, LOOP_CONFIGURE, arg(&config)); error < 0) {
            raw_close(device);
            device = error;
        }
    }
    raw_close(control);
    return device;
}

long raw_loop_number(long device) {
    loop_info64 info = {};
    long error = raw(SYS_ioctl, device, LOOP_GET_STATUS64, arg(&info));
    return error < 0 ? error : static_cast<long>(info.lo_number);
}

}  // namespace croft::kernel
