// Tar shards: every member lies inside the archive, every member is in one sample.

#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/check.h"
#include "train/data/tar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::train;
  const TarIndex index = IndexTar(std::as_bytes(std::span(data, size)), "shard.tar");
  for (const TarMember& member : index.members) {
    CHECK_LE(member.offset, size);
    CHECK_LE(member.size, size - member.offset);
  }
  size_t members = 0;
  for (const TarSample& sample : GroupByKey(index)) {
    for (const size_t i : sample.members) (void)SampleExtension(index.members[i].name, sample.key);
    members += sample.members.size();
  }
  CHECK_EQ(members, index.members.size());
  return 0;
}
