#include "src/spec/parse.h"

#include <system_error>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {
namespace {

// Llama-3's tokenizer.json has 9 MB.
constexpr size_t kMaxFileBytes = size_t{128} << 20;

class DirectorySource : public FileSource {
 public:
  explicit DirectorySource(std::filesystem::path root) : root_(std::move(root)) {}
  bool Exists(std::string_view name) const override {
    std::error_code error;
    return std::filesystem::exists(root_ / name, error);
  }
  StatusOr<std::string> Read(std::string_view name) const override { return ReadFile(root_ / name, kMaxFileBytes); }
  std::string NameOf(std::string_view name) const override { return (root_ / name).string(); }

 private:
  std::filesystem::path root_;
};

bool HasMediaKeys(const Config& config) { return config.Has("mm_projector_type") || config.Has("mm_projector_cfg"); }

}  // namespace

StatusOr<ModelSpec> ParseFiles(const FileSource& files, const std::filesystem::path& path,
                               const ParseOptions& options) {
  if (!files.Exists("config.json")) return NotFound(StrCat(path.string(), " has no config.json"));
  ASSIGN_OR_RETURN(const Config config, Config::Read(files, "config.json"));
  ASSIGN_OR_RETURN(const std::string type, config.String("model_type"));
  if (type == "llava_llama" || type == "vila") return ParseVila(files, path, config, options);
  if (type == "nvila" || type == "nvila_lite") return ParseNvilaHf(files, path, config, options);
  if (type == "mobilevlm") return ParseMobileVlm(files, path, config, options);
  if ((type == "llama" || type == "qwen2") && !HasMediaKeys(config)) return ParseText(files, path, config, options);
  return Unimplemented(
      StrCat(config.Name("model_type"), " \"", Printable(type),
             "\" is not a family we run (llava_llama, vila, nvila, nvila_lite, mobilevlm, llama, qwen2)"));
}

std::unique_ptr<const FileSource> FilesBelow(const std::filesystem::path& root) {
  return std::make_unique<DirectorySource>(root);
}

StatusOr<ModelSpec> ParseDirectory(const std::filesystem::path& path, const ParseOptions& options) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return NotFound(StrCat(path.string(), " is not a directory"));
  // A trailing slash would leave messages without a name.
  const std::filesystem::path named = path.has_filename() ? path : path.parent_path();
  return ParseFiles(DirectorySource(named), named, options);
}

}  // namespace galago::spec
