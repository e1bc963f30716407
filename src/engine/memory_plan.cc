#include "src/engine/memory_plan.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::engine {
namespace {

constexpr size_t kMaxProcFile = size_t{1} << 20;

std::optional<uint64_t> LeadingNumber(std::string_view text) {
  text = Trim(text);
  uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() ? std::optional<uint64_t>(value) : std::nullopt;
}

std::optional<uint64_t> NumberIn(const std::string& path) {
  const StatusOr<std::string> text = ReadFile(path, kMaxProcFile);
  return text.ok() ? LeadingNumber(*text) : std::nullopt;
}

// Limit less use of this process's control group (version 2: one line "0::/path").
std::optional<uint64_t> ControlGroupLeft() {
  const StatusOr<std::string> membership = ReadFile("/proc/self/cgroup", kMaxProcFile);
  if (!membership.ok()) return std::nullopt;
  std::optional<uint64_t> least;
  for (const std::string& line : Split(*membership, '\n')) {
    if (!line.starts_with("0::")) continue;
    // A limit of a parent group binds too.
    for (std::string group = line.substr(3);; group.resize(group.rfind('/'))) {
      const std::string base = StrCat("/sys/fs/cgroup", group);
      const std::optional<uint64_t> limit = NumberIn(base + "/memory.max");
      const std::optional<uint64_t> used = NumberIn(base + "/memory.current");
      if (limit && used) least = std::min(least.value_or(UINT64_MAX), *limit - std::min(*limit, *used));
      if (group.empty() || group.rfind('/') == std::string::npos) break;
    }
  }
  return least;
}

}  // namespace

uint64_t MeminfoBytes(std::string_view meminfo, std::string_view key) {
  for (const std::string& line : Split(meminfo, '\n')) {
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':') {
      return LeadingNumber(std::string_view(line).substr(key.size() + 1)).value_or(0) * 1024;
    }
  }
  return 0;
}

uint64_t AvailableMemory() {
  const StatusOr<std::string> meminfo = ReadFile("/proc/meminfo", kMaxProcFile);
  const uint64_t system = meminfo.ok() ? MeminfoBytes(*meminfo, "MemAvailable") : 0;
  const std::optional<uint64_t> group = ControlGroupLeft();
  return group ? std::min(system, *group) : system;
}

}  // namespace galago::engine
