#ifndef GALAGO_IO_GALAGO_FILE_H_
#define GALAGO_IO_GALAGO_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/base/file.h"
#include "src/io/tensor_store.h"

// NAME.galago: a whole model in one file, to be mapped and used as it lies. A safetensors container (safetensors.h), so
// that common tools can list it, whose entries are
//   file/NAME        u8: the model's small files (configs, tokenizer, preprocessing), NAME as in its directory
//   PART/NAME        a tensor of one part ("language", "vision", "projector"), by the name the engine asks for. Plain
//                    types as safetensors spells them; matrices in panels (panel_layout.h) as u8 [bytes]
//   padding/N        u8 zeros, so that every entry begins at a multiple of 64 bytes
// and whose metadata holds
//   galago.version   version of this format: 1. Another one is refused by name
//   galago.panels    family of the panel layout, "p16": 16 rows, the one all our kernels read, on x86 and Arm alike.
//                    An unknown one is refused by name
//   galago.facts     JSON, the engine's
//   galago.table     JSON {entry: {"sum": checksum, and for tensors "dtype", "shape"}}
//   galago.sum       checksum of the four above
namespace galago::io {

inline constexpr int kGalagoVersion = 1;
inline constexpr std::string_view kGalagoPanels = "p16";
inline constexpr std::string_view kGalagoExtension = ".galago";

class GalagoFile {
 public:
  // Maps the file; checks header, table and the small files, not yet the tensors' checksums.
  static StatusOr<GalagoFile> Open(const std::filesystem::path& path);
  // The same for an image in memory, which must outlive the result and begin at a multiple of 64 bytes. kIgnore is for
  // fuzzers, which would get no further than the first checksum.
  enum class Sums { kCheck, kIgnore };
  static StatusOr<GalagoFile> Parse(std::span<const std::byte> bytes, std::string_view what, Sums sums = Sums::kCheck);

  const std::string& name() const { return name_; }
  const std::string& facts() const { return facts_; }
  const std::map<std::string, std::string_view, std::less<>>& files() const { return files_; }
  // Tensors of a part, without the part's name in front; empty for a part the file does not have.
  TensorStore Part(std::string_view part) const;
  uint64_t tensor_bytes() const;

  // Holds every tensor against its checksum; reads all of the file, on all threads of `parallel_for`, which calls its
  // argument for each index below a count.
  using ParallelFor = std::function<void(int64_t count, const std::function<void(int64_t)>& body)>;
  Status Verify(const ParallelFor& parallel_for) const;

 private:
  struct Entry {
    TensorView view;
    uint64_t sum = 0;
  };
  std::string name_;
  std::string facts_;
  std::map<std::string, std::string_view, std::less<>> files_;
  std::map<std::string, Entry, std::less<>> tensors_;  // by "PART/NAME"
  std::shared_ptr<const MappedFile> file_;             // null for an image in memory
};

struct GalagoContents {
  std::string facts;
  std::map<std::string, std::string> files;
  std::vector<std::pair<std::string, TensorView>> tensors;  // "PART/NAME"
};
// Writes beside the target and renames. InvalidArgument for a name given twice and types the format has no place for.
Status WriteGalago(const std::filesystem::path& path, const GalagoContents& contents);

}  // namespace galago::io

#endif  // GALAGO_IO_GALAGO_FILE_H_
