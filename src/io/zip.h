#ifndef GALAGO_IO_ZIP_H_
#define GALAGO_IO_ZIP_H_

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "galago/status.h"

namespace galago::io {

// The members of a zip archive that only stores: name to bytes inside `archive`. Zip64 is understood; compressed or
// encrypted members, several disks, members that overlap or are named differently in their two headers are refused.
// (PKWARE APPNOTE.TXT 6.3.9, sections 4.3 to 4.5.) Checksums are not verified.
StatusOr<std::map<std::string, std::span<const std::byte>, std::less<>>> ReadStoredZip(
    std::span<const std::byte> archive, std::string_view what);

}  // namespace galago::io

#endif  // GALAGO_IO_ZIP_H_
